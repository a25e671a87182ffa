-- Snowhat: a programmatic access token for the bridge, in the place of a key pair. Run it after setup.sql, if you want one.
--
-- A service user needs a network policy before it can have a token. Put the address your bridge is seen from in the place of
-- the marked one: the policy holds for the user's key pair as well.

USE ROLE SECURITYADMIN;

CREATE NETWORK POLICY IF NOT EXISTS SENSEHAT_STREAMING_POLICY
  ALLOWED_IP_LIST = ('<<< the address of the bridge, such as 192.0.2.7 >>>')
  COMMENT = 'Where the Snowhat bridge is';

ALTER USER SENSEHAT_STREAMING_USER SET NETWORK_POLICY = SENSEHAT_STREAMING_POLICY;

-- The answer shows the secret, this once. It goes into a file that SNOWHAT_SNOWFLAKE_PAT_FILE names. It ends after 90 days.
ALTER USER SENSEHAT_STREAMING_USER ADD PROGRAMMATIC ACCESS TOKEN SNOWHAT_BRIDGE
  ROLE_RESTRICTION = 'SENSEHAT_STREAMING_ROLE'
  DAYS_TO_EXPIRY = 90;
