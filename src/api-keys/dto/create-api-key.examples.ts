/** The two bodies of the published documentation. */
export const CREATE_EXAMPLES = {
  full: {
    summary: 'Every scope named',
    value: {
      name: 'test-api-key',
      scopes: {
        admin: true,
        data: { pin_list: true, nft_list: true },
        pinning: { unpin: true, pin_by_hash: true, pin_file_to_ipfs: true },
        pin_nft: { unpin_nft: true, pin_nft_to_ipfs: true },
      },
    },
  },
  admin: {
    summary: 'An admin key, the rest left out',
    value: { name: 'Admin api key', scopes: { admin: true } },
  },
};
