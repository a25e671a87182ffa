-- Snowhat: deletes readings that are older than 400 days, every night. Nothing else in Snowhat ever deletes a reading; run this
-- only if you want it.
--
-- Keep at least 31 days. SENSEHAT_GAPS shows the deleted part of a stream as missing; SENSEHAT_RECENT_GAPS (alerts.sql) does not.
-- A deleted reading can be had back for as long as the table's Time Travel reaches (DATA_RETENTION_TIME_IN_DAYS).
-- Without a warehouse named, Snowflake finds the computer itself and bills its seconds (SERVERLESS_TASK_HISTORY).

USE ROLE ACCOUNTADMIN;

GRANT EXECUTE TASK, EXECUTE MANAGED TASK ON ACCOUNT TO ROLE SYSADMIN;

USE ROLE SYSADMIN;

CREATE OR REPLACE TASK DEMO.DEMO.SENSEHAT_RETENTION
  SCHEDULE = 'USING CRON 17 3 * * * UTC'
  USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'XSMALL'
  COMMENT = 'Deletes Sense HAT readings older than 400 days'
AS
  DELETE FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE COALESCE(datetimestamp, bridge_received_at) < DATEADD(day, -400, SYSDATE());

-- It is made asleep.
ALTER TASK DEMO.DEMO.SENSEHAT_RETENTION RESUME;
