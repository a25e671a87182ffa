-- Snowhat: what proves that nothing is missing and nothing came twice. Run it after setup.sql, as often as you like:
-- views hold no data.

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

-- CREATE OR REPLACE VIEW forgets grants.
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_GAPS TO ROLE SENSEHAT_STREAMING_ROLE;
GRANT SELECT ON VIEW DEMO.DEMO.SENSEHAT_DUPLICATES TO ROLE SENSEHAT_STREAMING_ROLE;
