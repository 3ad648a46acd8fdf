import { Module } from '@nestjs/common';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { HttpModule } from '../http/http.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { AuthorizeFastPath } from './authorize.fast-path.js';
import { Authorizer } from './authorizer.js';
import { GatewayController } from './gateway.controller.js';
import { type Route, RouteTable } from './route-table.js';

/** Answers gateways, which ask whether a request may pass before they forward it. */
@Module({
  imports: [AuthenticationModule, HttpModule, VerificationModule],
  controllers: [GatewayController],
  providers: [
    Authorizer,
    AuthorizeFastPath,
    {
      provide: RouteTable,
      inject: [ENVIRONMENT],
      // Validated by `readRouteTable()`
      useFactory: ({ routes }: Environment) => new RouteTable(routes as readonly Route[]),
    },
  ],
})
export class GatewayModule {}
