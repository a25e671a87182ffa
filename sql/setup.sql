-- Snowhat: everything Snowflake needs before the bridge can stream into it.
--
-- Run it once, as a person who may use the roles SECURITYADMIN and SYSADMIN (Snowsight, `snow sql -f`, …), then views.sql.
-- Coming from the first system (an earlier Python script that streamed one Pi)? Run upgrade.sql before this file.
-- The last grant of part 5, which is optional, wants ACCOUNTADMIN.
-- Every statement may be repeated: nothing that exists is replaced. Replacing the pipe or the table would
-- destroy its channels and their offset tokens.
--
-- The user's public key belongs where a line is marked with <<<. `snowhat keys new` makes a key pair, and `snowhat setup-sql`
-- prints this file with the public half of yours in it.

-- 1. The role, and the service user the bridge signs in as --------------------------------------

USE ROLE SECURITYADMIN;

CREATE ROLE IF NOT EXISTS SENSEHAT_STREAMING_ROLE
  COMMENT = 'Streams Sense HAT readings';

CREATE USER IF NOT EXISTS SENSEHAT_STREAMING_USER
  TYPE = SERVICE
  DEFAULT_ROLE = SENSEHAT_STREAMING_ROLE
  RSA_PUBLIC_KEY = '<<< THE PUBLIC KEY: the Base64 between BEGIN and END, without line breaks >>>'
  COMMENT = 'The Snowhat bridge';

-- The user may exist already: IF NOT EXISTS leaves it as it is, the key it has included. To give it this one:
--   ALTER USER SENSEHAT_STREAMING_USER SET RSA_PUBLIC_KEY = '<<< THE PUBLIC KEY >>>';

GRANT ROLE SENSEHAT_STREAMING_ROLE TO USER SENSEHAT_STREAMING_USER;

-- 2. The table -----------------------------------------------------------------------------------

USE ROLE SYSADMIN;

CREATE DATABASE IF NOT EXISTS DEMO;
CREATE SCHEMA IF NOT EXISTS DEMO.DEMO;

-- One row is one reading. The first 31 columns are those of the first system, in its order and with its
-- types, so that its queries run unchanged. All times are UTC.
CREATE TABLE IF NOT EXISTS DEMO.DEMO.SENSEHAT_SENSOR_DATA (
  uuid                    STRING,        -- <hostname>-<stream>-<seq>: the identity of the reading
  rowid                   STRING,
  hostname                STRING,
  ipaddress               STRING,
  macaddress              STRING,
  ts                      NUMBER,        -- epoch seconds of measuring
  datetimestamp           TIMESTAMP_NTZ, -- time of measuring
  systemtime              STRING,
  temperature             FLOAT,         -- °C
  humidity                FLOAT,         -- %RH
  pressure                FLOAT,         -- hPa
  pitch                   FLOAT,         -- °
  roll                    FLOAT,
  yaw                     FLOAT,
  accel_x                 FLOAT,         -- g
  accel_y                 FLOAT,
  accel_z                 FLOAT,
  gyro_x                  FLOAT,         -- rad/s
  gyro_y                  FLOAT,
  gyro_z                  FLOAT,
  mag_x                   FLOAT,         -- µT
  mag_y                   FLOAT,
  mag_z                   FLOAT,
  compass                 FLOAT,         -- °
  cpu_percent             FLOAT,
  memory_percent          FLOAT,
  disk_usage_mb           FLOAT,
  cputempc                FLOAT,
  cputempf                FLOAT,
  simulated               BOOLEAN,
  ingestion_timestamp     TIMESTAMP_NTZ, -- sent by the bridge; a DEFAULT would be frozen in a streaming pipe
  stream                  STRING,        -- one run of the publisher
  seq                     NUMBER,        -- rises by one per reading in the stream, from 1
  after                   STRING,        -- <stream>.<seq> of the reading before, when that is not (stream, seq - 1)
  clock                   STRING,        -- synced, corrected or unsynced
  serial                  STRING,
  temperature_pressure    FLOAT,         -- °C, the thermometer of the pressure sensor
  temperature_compensated FLOAT,
  humidity_compensated    FLOAT,
  compensation            STRING,
  dew_point               FLOAT,         -- °C
  color_red               FLOAT,
  color_green             FLOAT,
  color_blue              FLOAT,
  color_clear             FLOAT,
  illuminance             FLOAT,         -- lx
  uptime_s                NUMBER,
  wifi_rssi_dbm           FLOAT,
  throttled               NUMBER,
  privacy                 STRING,
  bridge_received_at      TIMESTAMP_NTZ,
  extra                   VARIANT        -- whatever a publisher sent that has no column
);

-- Rows Snowflake cannot convert are kept with their text: SELECT * FROM ERROR_TABLE(DEMO.DEMO.SENSEHAT_SENSOR_DATA);
ALTER TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA SET ERROR_LOGGING = TRUE;

-- Clustering is off. Rows arrive in the order of time, and that serves a small fleet. From some hundred million rows on, queries
-- for single devices become cheaper with it; Snowflake then bills the reordering (AUTOMATIC_CLUSTERING_HISTORY):
--   ALTER TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA CLUSTER BY (TO_DATE(datetimestamp), hostname);

-- 3. The pipe ------------------------------------------------------------------------------------

-- DATA_SOURCE(TYPE => 'STREAMING') is what makes it a streaming pipe.
CREATE PIPE IF NOT EXISTS DEMO.DEMO.SENSEHAT_STREAMING_PIPE AS
  COPY INTO DEMO.DEMO.SENSEHAT_SENSOR_DATA
  FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING'))
  MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;

-- 4. What the role may do ------------------------------------------------------------------------

-- Streaming needs USAGE, INSERT and OPERATE; MONITOR shows the channels. No warehouse is needed.
-- SELECT is for `snowhat query` and for people; streaming works without it.
GRANT USAGE ON DATABASE DEMO TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT USAGE ON SCHEMA DEMO.DEMO TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT INSERT, SELECT, SELECT ERROR TABLE ON TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT OPERATE, MONITOR ON PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE TO ROLE SENSEHAT_STREAMING_ROLE;

-- 5. Watching it ---------------------------------------------------------------------------------

-- For a role of people who watch, here called SENSEHAT_MONITOR. Remove the comment marks and run what you need:
--
--   USE ROLE SECURITYADMIN;
--   CREATE ROLE IF NOT EXISTS SENSEHAT_MONITOR;
--   GRANT USAGE ON DATABASE DEMO TO ROLE SENSEHAT_MONITOR;
--   GRANT USAGE ON SCHEMA DEMO.DEMO TO ROLE SENSEHAT_MONITOR;
--   GRANT SELECT ON TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA TO ROLE SENSEHAT_MONITOR;
--   GRANT SELECT ERROR TABLE ON TABLE DEMO.DEMO.SENSEHAT_SENSOR_DATA TO ROLE SENSEHAT_MONITOR;
--   GRANT MONITOR ON PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE TO ROLE SENSEHAT_MONITOR;
--   GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_GAPS TO ROLE SENSEHAT_MONITOR;        -- after views.sql
--   GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_DUPLICATES TO ROLE SENSEHAT_MONITOR;  -- after views.sql
--   USE ROLE ACCOUNTADMIN;
--   GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE SENSEHAT_MONITOR;          -- METERING_HISTORY, channel history
--
-- Then: SHOW CHANNELS IN PIPE DEMO.DEMO.SENSEHAT_STREAMING_PIPE;
--       SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.SNOWPIPE_STREAMING_CHANNEL_HISTORY ORDER BY CREATED_ON DESC;
