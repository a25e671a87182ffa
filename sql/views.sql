-- Snowhat: what proves that nothing is missing and nothing came twice, and what people ask first: the latest readings, the
-- course of the day, what moved, how long readings take, how the Pis are. Run it after setup.sql, as often as you like: views
-- hold no data. Asking them needs a warehouse; streaming does not.
--
-- SENSEHAT_GAPS, SENSEHAT_DUPLICATES, SENSEHAT_LATEST, SENSEHAT_SILENT, SENSEHAT_HOURLY, SENSEHAT_MOVED, SENSEHAT_LATENCY,
-- SENSEHAT_HOST_HEALTH. All times are UTC.

USE ROLE SYSADMIN;

-- SENSEHAT_GAPS: readings that were taken and are not in the table. One row per unbroken range of missing readings:
--
--   hostname, stream, first_seq … last_seq   the range
--   missing                                  how many
--   declared                                 TRUE: the Pi itself said so (its outbox had to give them up)
--                                            FALSE: they got lost on the way, which must never happen
--   previous_at, next_at                     time of the readings on both sides, NULL where there is none
--
-- How a missing reading shows: a number left out inside a stream; a stream that does not begin with 1; a reading that
-- another one names in `after` and that is not there (the end of a stream, or a stream of which nothing arrived).
--
-- How it is declared: `after` of a reading names the one that came before it. What lies between the two was given up. So
-- a missing reading is declared if any later row names, in `after`, a reading before it:
--   a later row of the same stream that names a lower number of the stream, or any other stream;
--   a row of a later stream that names a lower number of this stream, or a stream before this one.
-- The order of a device's streams is that of their first arrival at the bridge, then of measuring.
--
-- The number of a stream that only ever appears in an identity (`uuid` <hostname>-<stream>-<seq> of a replayed dead
-- letter, which travels under another stream) counts as present.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_GAPS AS
WITH readings AS (
  SELECT
    hostname, stream, seq, uuid, datetimestamp, bridge_received_at,
    NULLIF(SPLIT_PART(after, '.', 1), '') AS after_stream,
    TRY_CAST(NULLIF(SPLIT_PART(after, '.', 2), '') AS BIGINT) AS after_seq
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE hostname IS NOT NULL AND stream IS NOT NULL AND seq IS NOT NULL
),
-- Every `after`, with the row that bears it.
declarations AS (
  SELECT DISTINCT hostname, stream, seq, after_stream, after_seq
  FROM readings
  WHERE after_stream IS NOT NULL AND after_seq IS NOT NULL
),
arrivals AS (
  SELECT
    hostname, stream, MAX(seq) AS last_seq,
    ROW_NUMBER() OVER (
      PARTITION BY hostname
      ORDER BY MIN(bridge_received_at) NULLS LAST, MIN(datetimestamp) NULLS LAST, stream
    ) * 2 AS place
  FROM readings
  GROUP BY hostname, stream
),
-- The device's streams in order; one that is only named, never seen, stands just before the first that names it.
streams AS (
  SELECT hostname, stream, place FROM arrivals
  UNION ALL
  SELECT d.hostname, d.after_stream AS stream, MIN(a.place) - 1 AS place
  FROM declarations d
  JOIN arrivals a ON a.hostname = d.hostname AND a.stream = d.stream
  LEFT JOIN arrivals seen ON seen.hostname = d.hostname AND seen.stream = d.after_stream
  WHERE seen.stream IS NULL
  GROUP BY d.hostname, d.after_stream
),
-- Said of a stream by rows of others: it had at least `end_seq` readings, and after `kept_seq` some were given up.
named AS (
  SELECT hostname, after_stream, MAX(after_seq) AS end_seq, MIN(after_seq) AS kept_seq
  FROM declarations
  WHERE after_stream <> stream
  GROUP BY hostname, after_stream
),
-- Streams that a later one has jumped over as a whole.
passed_over AS (
  SELECT DISTINCT s.hostname, s.stream
  FROM declarations d
  JOIN streams latest ON latest.hostname = d.hostname AND latest.stream = d.stream
  JOIN streams kept ON kept.hostname = d.hostname AND kept.stream = d.after_stream
  JOIN streams s ON s.hostname = d.hostname AND s.place > kept.place AND s.place < latest.place
  WHERE d.after_stream <> d.stream
),
-- Readings whose identity is in the table under another stream: replayed dead letters.
replayed AS (
  SELECT
    hostname, datetimestamp,
    SPLIT_PART(uuid, '-', -2) AS own_stream,
    TRY_CAST(NULLIF(SPLIT_PART(uuid, '-', -1), '') AS BIGINT) AS own_seq
  FROM readings
  WHERE uuid LIKE hostname || '-%-%' AND uuid <> hostname || '-' || stream || '-' || CAST(seq AS VARCHAR)
),
-- All readings present, and one mark behind the end of each stream of which another names a reading further on.
present AS (
  SELECT
    hostname, stream, seq, datetimestamp AS taken_at,
    CASE WHEN after_seq IS NULL OR after_stream IS NULL THEN NULL WHEN after_stream = stream THEN after_seq ELSE 0 END
      AS kept_seq
  FROM readings
  UNION ALL
  SELECT r.hostname, r.own_stream, r.own_seq, r.datetimestamp, NULL
  FROM replayed r
  JOIN arrivals a ON a.hostname = r.hostname AND a.stream = r.own_stream
  WHERE r.own_seq >= 1
  UNION ALL
  SELECT n.hostname, n.after_stream, n.end_seq + 1, NULL, NULL
  FROM named n
  LEFT JOIN arrivals a ON a.hostname = n.hostname AND a.stream = n.after_stream
  WHERE n.end_seq > COALESCE(a.last_seq, 0)
),
marks AS (
  SELECT hostname, stream, seq, MIN(p.taken_at) AS taken_at, MIN(p.kept_seq) AS kept_seq
  FROM present p
  GROUP BY hostname, stream, seq
),
-- Each mark with the one before it, and the lowest number that it or a later row of the stream says was kept.
steps AS (
  SELECT
    hostname, stream, seq, taken_at,
    COALESCE(LAG(seq) OVER (PARTITION BY hostname, stream ORDER BY seq), 0) AS previous_seq,
    LAG(taken_at) OVER (PARTITION BY hostname, stream ORDER BY seq) AS previous_at,
    MIN(kept_seq) OVER (
      PARTITION BY hostname, stream ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS later_kept_seq
  FROM marks
),
-- The last reading before the declared part of each gap: from there on, all is declared.
gaps AS (
  SELECT
    g.hostname, g.stream, g.seq, g.previous_seq, g.previous_at, g.taken_at AS next_at,
    CASE
      WHEN p.stream IS NOT NULL THEN g.previous_seq
      ELSE GREATEST(g.previous_seq, LEAST(g.seq - 1, COALESCE(g.later_kept_seq, g.seq - 1), COALESCE(n.kept_seq, g.seq - 1)))
    END AS undeclared_to
  FROM steps g
  LEFT JOIN named n ON n.hostname = g.hostname AND n.after_stream = g.stream
  LEFT JOIN passed_over p ON p.hostname = g.hostname AND p.stream = g.stream
  WHERE g.seq - g.previous_seq > 1
)
SELECT
  hostname, stream, previous_seq + 1 AS first_seq, undeclared_to AS last_seq, undeclared_to - previous_seq AS missing,
  FALSE AS declared, previous_at, next_at
FROM gaps
WHERE undeclared_to > previous_seq
UNION ALL
SELECT
  hostname, stream, undeclared_to + 1 AS first_seq, seq - 1 AS last_seq, seq - 1 - undeclared_to AS missing,
  TRUE AS declared, previous_at, next_at
FROM gaps
WHERE seq - 1 > undeclared_to;

-- SENSEHAT_DUPLICATES: readings that are in the table more than once. It must be empty.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_DUPLICATES AS
SELECT
  uuid, MIN(hostname) AS hostname, COUNT(*) AS copies, MIN(datetimestamp) AS datetimestamp,
  MIN(ingestion_timestamp) AS first_ingested, MAX(ingestion_timestamp) AS last_ingested
FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
WHERE uuid IS NOT NULL
GROUP BY uuid
HAVING COUNT(*) > 1;

-- SENSEHAT_LATEST: the newest reading of each device; age_s is how many seconds ago it was taken.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_LATEST AS
SELECT
  hostname, datetimestamp, DATEDIFF(second, datetimestamp, SYSDATE()) AS age_s, stream, seq, uuid,
  temperature, temperature_compensated, humidity, humidity_compensated, pressure, dew_point,
  pitch, roll, yaw, compass, illuminance, ipaddress, serial, clock, simulated
FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
WHERE hostname IS NOT NULL AND datetimestamp IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY hostname ORDER BY datetimestamp DESC, seq DESC NULLS LAST, uuid) = 1;

-- SENSEHAT_SILENT: devices of which nothing has been measured for ten minutes.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_SILENT AS
SELECT hostname, datetimestamp AS last_at, age_s AS silent_s
FROM DEMO.DEMO.SENSEHAT_LATEST
WHERE age_s > 600;

-- SENSEHAT_HOURLY: one row per device and hour that has readings. temperature_change is against the hour listed before it.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_HOURLY AS
WITH hours AS (
  SELECT
    hostname, DATE_TRUNC('hour', datetimestamp) AS hour_at, COUNT(*) AS readings,
    MIN(temperature) AS temperature_min, AVG(temperature) AS temperature_avg, MAX(temperature) AS temperature_max,
    MIN(humidity) AS humidity_min, AVG(humidity) AS humidity_avg, MAX(humidity) AS humidity_max,
    MIN(pressure) AS pressure_min, AVG(pressure) AS pressure_avg, MAX(pressure) AS pressure_max
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE hostname IS NOT NULL AND datetimestamp IS NOT NULL
  GROUP BY hostname, DATE_TRUNC('hour', datetimestamp)
)
SELECT
  hostname, hour_at, readings, temperature_min, temperature_avg, temperature_max,
  temperature_avg - LAG(temperature_avg) OVER (PARTITION BY hostname ORDER BY hour_at) AS temperature_change,
  humidity_min, humidity_avg, humidity_max, pressure_min, pressure_avg, pressure_max,
  pressure_avg - LAG(pressure_avg) OVER (PARTITION BY hostname ORDER BY hour_at) AS pressure_change
FROM hours;

-- SENSEHAT_MOVED: a device that was turned by five degrees or more from one reading to the next, per axis. `degrees` is the
-- short way round the circle: from 359.5 to 0 is half a degree.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_MOVED AS
WITH angles AS (
  SELECT hostname, datetimestamp, seq, uuid, 'pitch' AS axis, pitch AS angle FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  UNION ALL
  SELECT hostname, datetimestamp, seq, uuid, 'roll' AS axis, roll AS angle FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  UNION ALL
  SELECT hostname, datetimestamp, seq, uuid, 'yaw' AS axis, yaw AS angle FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
),
turns AS (
  SELECT
    hostname, datetimestamp, axis, angle,
    LAG(datetimestamp) OVER (PARTITION BY hostname, axis ORDER BY datetimestamp, seq, uuid) AS previous_at,
    LAG(angle) OVER (PARTITION BY hostname, axis ORDER BY datetimestamp, seq, uuid) AS previous_angle
  FROM angles
  WHERE hostname IS NOT NULL AND datetimestamp IS NOT NULL AND angle IS NOT NULL
),
ways AS (
  SELECT hostname, datetimestamp, previous_at, axis, previous_angle, angle, MOD(ABS(angle - previous_angle), 360) AS one_way
  FROM turns
)
SELECT hostname, datetimestamp, previous_at, axis, previous_angle, angle, LEAST(one_way, 360 - one_way) AS degrees
FROM ways
WHERE LEAST(one_way, 360 - one_way) >= 5;

-- SENSEHAT_LATENCY: how long readings take, per device and hour, in milliseconds: from measuring to the bridge (the Pi's outbox,
-- the broker), in the bridge until it freezes the batch, and both together. Snowflake's own seconds come after that: SHOW
-- CHANNELS and the bridge's page have them. Readings of an unset clock are left out.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_LATENCY AS
WITH ways AS (
  SELECT
    hostname, DATE_TRUNC('hour', datetimestamp) AS hour_at,
    DATEDIFF(millisecond, datetimestamp, bridge_received_at) AS to_bridge_ms,
    DATEDIFF(millisecond, bridge_received_at, ingestion_timestamp) AS in_bridge_ms,
    DATEDIFF(millisecond, datetimestamp, ingestion_timestamp) AS total_ms
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE hostname IS NOT NULL AND datetimestamp IS NOT NULL AND COALESCE(clock, 'synced') <> 'unsynced'
)
SELECT
  hostname, hour_at, COUNT(total_ms) AS readings,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY to_bridge_ms) AS to_bridge_median_ms,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY to_bridge_ms) AS to_bridge_p95_ms,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY in_bridge_ms) AS in_bridge_median_ms,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY in_bridge_ms) AS in_bridge_p95_ms,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY total_ms) AS total_median_ms,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY total_ms) AS total_p95_ms,
  MAX(total_ms) AS total_max_ms
FROM ways
WHERE total_ms IS NOT NULL
GROUP BY hostname, hour_at;

-- SENSEHAT_HOST_HEALTH: the Pi behind the sensors: its newest figures, and of the 24 hours before them how hot it was and how
-- often the publisher was started. Bits of `throttled`: 0 under-voltage now, 2 throttled now, 16 under-voltage since boot.
CREATE OR REPLACE VIEW DEMO.DEMO.SENSEHAT_HOST_HEALTH AS
WITH newest AS (
  SELECT hostname, datetimestamp, cpu_percent, memory_percent, disk_usage_mb, cputempc, uptime_s, wifi_rssi_dbm, throttled
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA
  WHERE hostname IS NOT NULL AND datetimestamp IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY hostname ORDER BY datetimestamp DESC, seq DESC NULLS LAST, uuid) = 1
),
days AS (
  SELECT d.hostname, MAX(d.cputempc) AS cputempc_max_24h, COUNT(DISTINCT d.stream) AS starts_24h
  FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA d
  JOIN newest n ON n.hostname = d.hostname
  WHERE d.datetimestamp > DATEADD(hour, -24, n.datetimestamp)
  GROUP BY d.hostname
)
SELECT
  n.hostname, n.datetimestamp, n.cpu_percent, n.memory_percent, n.disk_usage_mb, n.cputempc, d.cputempc_max_24h,
  n.uptime_s, d.starts_24h, n.wifi_rssi_dbm, n.throttled,
  MOD(n.throttled, 2) = 1 AS under_voltage,
  MOD(FLOOR(n.throttled / 4), 2) = 1 AS throttled_now,
  MOD(FLOOR(n.throttled / 65536), 2) = 1 AS under_voltage_since_boot
FROM newest n
JOIN days d ON d.hostname = n.hostname;

-- CREATE OR REPLACE VIEW forgets grants.
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_GAPS TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_DUPLICATES TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_LATEST TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_SILENT TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_HOURLY TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_MOVED TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_LATENCY TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_HOST_HEALTH TO ROLE SENSEHAT_STREAMING_ROLE;
