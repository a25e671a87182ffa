import { aliveCheck } from './bridge/alive.ts'
import { bridgeHealthChecks } from './bridge/health.ts'
import { spoolCheck } from './bridge/spool.ts'
import { accessCheck } from './broker/access.ts'
import { addressCheck } from './broker/address.ts'
import { certificateCheck } from './broker/certificate.ts'
import { durabilityChecks } from './broker/durability.ts'
import { readingsCheck } from './broker/readings.ts'
import { retainedCheck } from './broker/retained.ts'
import { sessionCheck } from './broker/session.ts'
import { signInCheck } from './broker/sign-in.ts'
import type { Check } from './check.ts'
import { routeFilesCheck } from './configuration/route-files.ts'
import { secretFilesCheck } from './configuration/secret-files.ts'
import { settingsCheck } from './configuration/settings.ts'
import { directoryChecks } from './machine/directories.ts'
import { timeServiceCheck } from './machine/time-service.ts'
import { versionsCheck } from './machine/versions.ts'
import { boardChecks } from './pi/board.ts'
import { hostnameCheck } from './pi/hostname.ts'
import { outboxCheck } from './pi/outbox.ts'
import { canaryCheck } from './snowflake/canary.ts'
import { columnsCheck } from './snowflake/columns.ts'
import { accountCheck, credentialCheck } from './snowflake/credential.ts'
import { rowErrorChecks } from './snowflake/error-table.ts'
import { extraKeysCheck } from './snowflake/extra-keys.ts'
import { grantsCheck } from './snowflake/grants.ts'
import { incarnationsCheck } from './snowflake/incarnations.ts'
import { pipeCheck } from './snowflake/pipe.ts'
import { reachCheck } from './snowflake/reach.ts'
import { routesCheck } from './snowflake/routes.ts'
import { accountSignInCheck } from './snowflake/sign-in.ts'
import { userCheck } from './snowflake/user.ts'
import { viewsCheck } from './snowflake/views.ts'

/** In the order of the report: from what is near to what is far, so that the first broken thing is the one to begin with. */
export const CHECKS: readonly Check[] = [
  settingsCheck,
  secretFilesCheck,
  routeFilesCheck,
  versionsCheck,
  timeServiceCheck,
  ...directoryChecks,
  addressCheck,
  certificateCheck,
  signInCheck,
  sessionCheck,
  retainedCheck,
  ...durabilityChecks,
  aliveCheck,
  accessCheck,
  readingsCheck,
  ...bridgeHealthChecks,
  spoolCheck,
  hostnameCheck,
  ...boardChecks,
  outboxCheck,
  credentialCheck,
  accountCheck,
  reachCheck,
  accountSignInCheck,
  userCheck,
  pipeCheck,
  incarnationsCheck,
  grantsCheck,
  columnsCheck,
  ...rowErrorChecks,
  viewsCheck,
  routesCheck,
  canaryCheck,
  extraKeysCheck,
]
