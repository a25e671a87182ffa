-- Snowhat: alarms of Snowflake's own, for those who do not watch the bridge's metrics. Run it after views.sql, if you want it.
--
-- Two alerts write a row into SENSEHAT_ALARMS: a device that has fallen silent, and readings that are missing and that no Pi has
-- declared. Each trouble is written once.
--
-- WHAT IT COSTS. An alert is a query by the clock. Here no warehouse is named, so Snowflake finds the computers itself and bills
-- their seconds (SERVERLESS_ALERT_HISTORY). With WAREHOUSE = … it is your warehouse, at least a minute each time it wakes
-- up. SENSEHAT_GAPS reads the whole table: of a large one, run it less often. ALTER ALERT … SUSPEND ends the cost.

USE ROLE ACCOUNTADMIN;

GRANT EXECUTE ALERT, EXECUTE MANAGED ALERT ON ACCOUNT TO ROLE SYSADMIN;

USE ROLE SYSADMIN;

CREATE TABLE IF NOT EXISTS DEMO.DEMO.SENSEHAT_ALARMS (
  raised_at TIMESTAMP_NTZ, -- UTC
  kind      STRING,        -- silent, or gap
  hostname  STRING,
  since     TIMESTAMP_NTZ, -- of a silence: the last reading; of a gap: the reading on one of its sides, where there is one
  detail    STRING
);

CREATE ALERT IF NOT EXISTS DEMO.DEMO.SENSEHAT_SILENT_ALERT
  SCHEDULE = '15 MINUTE'
  COMMENT = 'A Sense HAT has sent nothing for ten minutes'
  IF (EXISTS (
    SELECT s.hostname
    FROM DEMO.DEMO.SENSEHAT_SILENT s
    LEFT JOIN DEMO.DEMO.SENSEHAT_ALARMS a ON a.kind = 'silent' AND a.hostname = s.hostname AND a.since = s.last_at
    WHERE a.hostname IS NULL
  ))
  THEN
    INSERT INTO DEMO.DEMO.SENSEHAT_ALARMS (raised_at, kind, hostname, since, detail)
    SELECT SYSDATE(), 'silent', s.hostname, s.last_at, 'no reading since then'
    FROM DEMO.DEMO.SENSEHAT_SILENT s
    LEFT JOIN DEMO.DEMO.SENSEHAT_ALARMS a ON a.kind = 'silent' AND a.hostname = s.hostname AND a.since = s.last_at
    WHERE a.hostname IS NULL;

-- What a retention has deleted looks like a gap. So only gaps with a reading of the last 30 days beside them are told, and
-- streams of which nothing has arrived when a reading of the last 30 days names them.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_RECENT_GAPS AS
SELECT
  g.hostname, COALESCE(g.previous_at, g.next_at) AS since,
  g.stream || ' ' || CAST(g.first_seq AS VARCHAR) || ' to ' || CAST(g.last_seq AS VARCHAR) AS detail
FROM DEMO.DEMO.SENSEHAT_GAPS g
LEFT JOIN (
  SELECT DISTINCT hostname, SPLIT_PART(after, '.', 1) AS stream
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE after IS NOT NULL AND datetimestamp > DATEADD(day, -30, SYSDATE())
) n ON n.hostname = g.hostname AND n.stream = g.stream
WHERE NOT g.declared
  AND (
    COALESCE(g.next_at, g.previous_at) > DATEADD(day, -30, SYSDATE())
    OR (g.next_at IS NULL AND g.previous_at IS NULL AND n.stream IS NOT NULL)
  );

CREATE ALERT IF NOT EXISTS DEMO.DEMO.SENSEHAT_GAP_ALERT
  SCHEDULE = '60 MINUTE'
  COMMENT = 'Sense HAT readings are missing, and no Pi has declared it'
  IF (EXISTS (
    SELECT g.hostname
    FROM DEMO.DEMO.SENSEHAT_RECENT_GAPS g
    LEFT JOIN DEMO.DEMO.SENSEHAT_ALARMS a ON a.kind = 'gap' AND a.hostname = g.hostname AND a.detail = g.detail
    WHERE a.hostname IS NULL
  ))
  THEN
    INSERT INTO DEMO.DEMO.SENSEHAT_ALARMS (raised_at, kind, hostname, since, detail)
    SELECT SYSDATE(), 'gap', g.hostname, g.since, g.detail
    FROM DEMO.DEMO.SENSEHAT_RECENT_GAPS g
    LEFT JOIN DEMO.DEMO.SENSEHAT_ALARMS a ON a.kind = 'gap' AND a.hostname = g.hostname AND a.detail = g.detail
    WHERE a.hostname IS NULL;

-- They are made asleep.
ALTER ALERT DEMO.DEMO.SENSEHAT_SILENT_ALERT RESUME;
ALTER ALERT DEMO.DEMO.SENSEHAT_GAP_ALERT RESUME;
