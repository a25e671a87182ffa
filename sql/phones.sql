-- Snowhat: where phones go (docs/phones.md). Run it after setup.sql, if you have phones; repeat as you like. To remove
-- it: DROP DATABASE ACTIVITY_DB.
--
-- The rows of both tables go in by their default pipes, which Snowflake makes by itself: INSERT on the table is all it takes.
-- Names of databases, schemas, tables and of the columns are those of the system that was there before.

USE ROLE SYSADMIN;

CREATE DATABASE IF NOT EXISTS ACTIVITY_DB;
CREATE SCHEMA IF NOT EXISTS ACTIVITY_DB.RAW_DATA;
CREATE SCHEMA IF NOT EXISTS ACTIVITY_DB.PROCESSED_DATA;

-- What phones have sent: a row per message, per sample or per second (phone.raw). Columns of the other modes are NULL.
CREATE TABLE IF NOT EXISTS ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS (
  messageid                 NUMBER(38,0),   -- rises by one per message of a recording; begins anew with each
  sessionid                 VARCHAR,        -- one recording
  deviceid                  VARCHAR,        -- the phone, as the app calls it
  userid                    VARCHAR,        -- in a Study only
  source                    VARCHAR,        -- http or mqtt
  received_at               TIMESTAMP_NTZ,  -- when the receiver had it, UTC
  clock_skew_ms             FLOAT,          -- receipt less the latest time in it: how far the clock of the phone is behind, the way included
  part                      NUMBER(38,0),   -- of a message that is too long for one row: which part, from 1
  parts                     NUMBER(38,0),   -- and of how many
  t_min                     TIMESTAMP_NTZ,  -- of a message: the earliest time in it, UTC
  t_max                     TIMESTAMP_NTZ,  -- of a message: the latest time in it, UTC
  n_readings                NUMBER(38,0),   -- of a message: how many readings
  sensors                   VARIANT,        -- of a message: how many readings of each sensor
  payload                   VARIANT,        -- of a message: the readings as they came, times in the digits they were sent with
  sensortype                VARCHAR,        -- of a sample or a second: the sensor
  x                         FLOAT,          -- of a sample, in the unit the app sends
  y                         FLOAT,          -- of a sample
  z                         FLOAT,          -- of a sample
  accuracy                  NUMBER(38,0),   -- of a sample: 0 to 3, Android only
  timestamp                 NUMBER(38,0),   -- of a sample: nanoseconds since 1970, as they were sent
  t                         TIMESTAMP_NTZ,  -- of a sample: the same as a time, UTC
  reading                   VARIANT,        -- of a sample without three axes: its values
  second                    TIMESTAMP_NTZ,  -- of a second: its beginning, UTC
  n_samples                 NUMBER(38,0),   -- of a second: samples
  mean                      FLOAT,          -- of a second: mean length of the vector of the three axes
  std                       FLOAT,          -- of a second: its standard deviation, of the population
  min                       FLOAT,          -- of a second: the least
  max                       FLOAT,          -- of a second: the greatest
  p95                       FLOAT,          -- of a second: the 95th percentile
  uuid                      VARCHAR,        -- <route>.<device>-<stream>-<seq>: the row's identity, the same on every redelivery
  device                    VARCHAR,        -- whose it is, as its topic says
  stream                    VARCHAR,        -- one run of the publisher, or of the bridge where the publisher numbers nothing
  seq                       NUMBER(38,0),   -- rises by one per row in the stream
  after                     VARCHAR,        -- <stream>.<seq> of the row before this one, when that is not (stream, seq−1)
  extra                     VARIANT,        -- what has no column of its own
  bridge_received_at        TIMESTAMP_NTZ,  -- when the bridge received it, UTC
  ingestion_timestamp       TIMESTAMP_NTZ   -- when the bridge froze the batch for sending, UTC
);

-- What their owners did: a row per window of ten seconds, one begins every two seconds.
CREATE TABLE IF NOT EXISTS ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED (
  timestamp                 VARCHAR,        -- end of the window, YYYY-MM-DD HH:MM:SS, UTC
  sessionid                 VARCHAR,        -- one recording
  deviceid                  VARCHAR,        -- the phone, as the app calls it
  activity                  VARCHAR,        -- stationary, walking, running, sprinting or unknown
  confidence                FLOAT,          -- 0 to 1
  avg_magnitude             FLOAT,          -- m/s², mean over the window of the acceleration without gravity
  window_id                 VARCHAR,        -- the same however often the window is worked out
  window_start              TIMESTAMP_NTZ,  -- UTC
  window_end                TIMESTAMP_NTZ,  -- UTC; not part of the window
  n_samples                 NUMBER(38,0),   -- samples in the window
  coverage                  FLOAT,          -- 0 to 1: seconds of the window with at least one sample
  partial                   BOOLEAN,        -- the recording ended inside of it
  features                  VARIANT,        -- what the model has seen, and the probability of each activity
  model_version             VARCHAR,        -- which model, with which parameters
  quality                   VARCHAR,        -- doubts, separated by commas
  phone_activity            VARCHAR,        -- what the phone's own classifier says
  phone_activity_confidence VARCHAR,        -- and how sure it is
  uuid                      VARCHAR,        -- <route>.<device>-<stream>-<seq>: the row's identity, the same on every redelivery
  device                    VARCHAR,        -- whose it is, as its topic says
  stream                    VARCHAR,        -- one run of the publisher, or of the bridge where the publisher numbers nothing
  seq                       NUMBER(38,0),   -- rises by one per row in the stream
  after                     VARCHAR,        -- <stream>.<seq> of the row before this one, when that is not (stream, seq−1)
  extra                     VARIANT,        -- what has no column of its own
  bridge_received_at        TIMESTAMP_NTZ,  -- when the bridge received it, UTC
  ingestion_timestamp       TIMESTAMP_NTZ   -- when the bridge froze the batch for sending, UTC
);

ALTER TABLE ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS SET ERROR_LOGGING = TRUE;
ALTER TABLE ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED SET ERROR_LOGGING = TRUE;

GRANT USAGE ON DATABASE ACTIVITY_DB TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT USAGE ON SCHEMA ACTIVITY_DB.RAW_DATA TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT USAGE ON SCHEMA ACTIVITY_DB.PROCESSED_DATA TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT INSERT, SELECT, SELECT ERROR TABLE ON TABLE ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT INSERT, SELECT, SELECT ERROR TABLE ON TABLE ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED TO ROLE SENSEHAT_STREAMING_ROLE;

-- The latest window of each phone.
CREATE OR REPLACE VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_LATEST AS
SELECT device, sessionid, window_end, activity, confidence, avg_magnitude, n_samples, coverage, quality, model_version
FROM ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED
QUALIFY ROW_NUMBER() OVER (PARTITION BY device ORDER BY window_end DESC) = 1;

-- Rows that were made and are not in their table, one row per unbroken range. `declared`: the receiver had to give them up and
-- said so, which is when a later row of the stream names, in `after`, a number before them. The number of a stream that only
-- ever appears in an identity (`uuid` of a replayed dead letter, which travels under another stream) counts as present.
CREATE OR REPLACE VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_GAPS AS
WITH both_tables AS (
  SELECT 'activity' AS kind, device, stream, seq, after, uuid FROM ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED
  UNION ALL
  SELECT 'record' AS kind, device, stream, seq, after, uuid FROM ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS
),
present AS (
  SELECT
    kind, device, stream, seq,
    CASE
      WHEN SPLIT_PART(after, '.', 1) = stream THEN TRY_CAST(NULLIF(SPLIT_PART(after, '.', 2), '') AS BIGINT)
      WHEN after IS NOT NULL THEN 0
      ELSE NULL
    END AS kept_seq
  FROM both_tables
  WHERE stream IS NOT NULL AND seq IS NOT NULL
  UNION ALL
  SELECT r.kind, r.device, SPLIT_PART(r.uuid, '-', -2), TRY_CAST(NULLIF(SPLIT_PART(r.uuid, '-', -1), '') AS BIGINT), NULL
  FROM both_tables r
  JOIN (SELECT DISTINCT kind, device, stream FROM both_tables) s
    ON s.kind = r.kind AND s.device = r.device AND s.stream = SPLIT_PART(r.uuid, '-', -2)
  WHERE s.stream <> r.stream
),
marks AS (
  SELECT kind, device, stream, seq, MIN(p.kept_seq) AS kept_seq
  FROM present p
  WHERE seq >= 1
  GROUP BY kind, device, stream, seq
),
-- Each row with the one before it, and the lowest number that it or a later row of the stream says was kept.
steps AS (
  SELECT
    kind, device, stream, seq,
    COALESCE(LAG(seq) OVER (PARTITION BY kind, device, stream ORDER BY seq), 0) AS previous_seq,
    MIN(kept_seq) OVER (
      PARTITION BY kind, device, stream ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS later_kept_seq
  FROM marks
),
-- The last row before the declared part of each gap: from there on, all is declared.
gaps AS (
  SELECT
    kind, device, stream, seq, previous_seq,
    GREATEST(previous_seq, LEAST(seq - 1, COALESCE(later_kept_seq, seq - 1))) AS undeclared_to
  FROM steps
  WHERE seq - previous_seq > 1
)
SELECT
  kind, device, stream, previous_seq + 1 AS first_seq, undeclared_to AS last_seq, undeclared_to - previous_seq AS missing,
  FALSE AS declared
FROM gaps
WHERE undeclared_to > previous_seq
UNION ALL
SELECT
  kind, device, stream, undeclared_to + 1 AS first_seq, seq - 1 AS last_seq, seq - 1 - undeclared_to AS missing,
  TRUE AS declared
FROM gaps
WHERE seq - 1 > undeclared_to;

-- Rows that are in a table more than once. It must be empty.
CREATE OR REPLACE VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_DUPLICATES AS
SELECT uuid, MIN(device) AS device, COUNT(*) AS copies
FROM (
  SELECT uuid, device FROM ACTIVITY_DB.RAW_DATA.ACTIVITY_RECORDS
  UNION ALL
  SELECT uuid, device FROM ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED
) rows_of_both
WHERE uuid IS NOT NULL
GROUP BY uuid
HAVING COUNT(*) > 1;

-- CREATE OR REPLACE VIEW forgets grants.
GRANT SELECT ON VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_LATEST TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_GAPS TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW ACTIVITY_DB.PROCESSED_DATA.ACTIVITY_DUPLICATES TO ROLE SENSEHAT_STREAMING_ROLE;
