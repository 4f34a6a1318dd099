-- Access tokens that all end, and requests that may be sent twice.

-- A token of before that had no end gets a year from now on: nobody is locked out by the upgrade.
UPDATE api_tokens SET expires_at = greatest(created_at, now()) + interval '365 days' WHERE expires_at IS NULL;
ALTER TABLE api_tokens ALTER COLUMN expires_at SET NOT NULL;
-- The one that its holder took in its place.
ALTER TABLE api_tokens ADD COLUMN replaces random_id REFERENCES api_tokens;
CREATE INDEX api_tokens_replaces ON api_tokens (replaces) WHERE replaces IS NOT NULL;

-- What was answered to a request that came with an Idempotency-Key; written in the transaction that did its work, so either both are there or neither.
CREATE TABLE request_keys (
  token_id       random_id NOT NULL REFERENCES api_tokens,
  key            text NOT NULL CHECK (key ~ '^[A-Za-z0-9_-]{8,100}$'),
  request_sha256 sha256_hex NOT NULL,                                                                      -- of route, path, query and body
  answer         text NOT NULL CHECK (length(answer) <= 4194304),
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at > created_at),
  PRIMARY KEY (token_id, key)
);
CREATE INDEX request_keys_expire ON request_keys (expires_at);
