-- The newest list of revoked gateway certificates (RFC 5280 §5), for a broker that is not ours. One row: a broker reads the newest and no other.
CREATE TABLE device_crl (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  number   integer NOT NULL CHECK (number >= 1),                                                           -- CRLNumber
  serials  text[] NOT NULL,
  pem      text NOT NULL,
  made_at  timestamptz NOT NULL                                                                            -- thisUpdate
);
