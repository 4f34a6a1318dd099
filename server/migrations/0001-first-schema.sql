-- The first schema: contract side (who may have what) and delivery side (what was said to which gateway, and what it answered).
-- Forward only: this file never changes once released; a later change is the next number. SQL stays within PostgreSQL 15.
-- Every table says by CHECK what it believes, so that a wrong write fails here and not at a gateway.
-- Times are the server's clock (passed in as parameters, never now()), sha256 is 64 lower-case hex digits, random ids are ^[a-z0-9]{16,32}$.

CREATE DOMAIN random_id   AS text CHECK (VALUE ~ '^[a-z0-9]{16,32}$');
CREATE DOMAIN sha256_hex  AS text CHECK (VALUE ~ '^[0-9a-f]{64}$');
CREATE DOMAIN key_id      AS text CHECK (VALUE ~ '^sha256:[0-9a-f]{64}$');
CREATE DOMAIN serial_hex  AS text CHECK (VALUE ~ '^(0|[1-9a-f][0-9a-f]{0,63})$');
CREATE DOMAIN provider_id AS text CHECK (VALUE ~ '^[a-z][a-z0-9-]{1,30}$');
CREATE DOMAIN software_id AS text CHECK (VALUE ~ '^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$' AND length(VALUE) <= 64);
CREATE DOMAIN gateway_id  AS text CHECK (VALUE ~ '^[a-z0-9][a-z0-9-]{2,62}$');
CREATE DOMAIN error_code  AS text CHECK (VALUE ~ '^[A-Z][A-Z0-9_]{2,63}$');
CREATE DOMAIN safe_int    AS bigint CHECK (VALUE BETWEEN 0 AND 9007199254740991);

-- Small facts of the installation, one JSON value a name (operator name, size unit M, …).
CREATE TABLE settings (
  name       text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  value      jsonb NOT NULL,
  changed_at timestamptz NOT NULL
);

-- Signed root statements as they were published; gateways walk /root/<version>.
CREATE TABLE roots (
  version    integer PRIMARY KEY CHECK (version >= 1),
  envelope   bytea NOT NULL CHECK (octet_length(envelope) <= 131072),
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > issued_at)
);

-- ---------------------------------------------------------------- providers and what they deposit

CREATE TABLE providers (
  id             provider_id PRIMARY KEY,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  contact        text NOT NULL DEFAULT '' CHECK (length(contact) <= 1000),
  consent        text NOT NULL DEFAULT 'required' CHECK (consent IN ('required', 'notRequired')),          -- D-17
  consent_reason text CHECK (length(consent_reason) BETWEEN 1 AND 1000),
  created_at     timestamptz NOT NULL,
  CHECK (consent = 'required' OR consent_reason IS NOT NULL)
);

CREATE TABLE provider_certificates (
  issuer_keyid  key_id NOT NULL,
  serial        serial_hex NOT NULL,
  provider_id   provider_id NOT NULL REFERENCES providers,
  organisation  text NOT NULL CHECK (length(organisation) BETWEEN 1 AND 200),
  subject_keyid key_id NOT NULL,
  not_before    timestamptz NOT NULL,
  not_after     timestamptz NOT NULL CHECK (not_after > not_before),
  pem           text NOT NULL CHECK (length(pem) <= 16384),
  issued_at     timestamptz NOT NULL,
  revoked_at    timestamptz,
  revoke_reason text CHECK (length(revoke_reason) <= 200),
  PRIMARY KEY (issuer_keyid, serial)
);
CREATE INDEX provider_certificates_provider ON provider_certificates (provider_id);

-- A work order (工事): what is charged once, and per software in it (D-33, D-21).
CREATE TABLE work_orders (
  id           random_id PRIMARY KEY,
  provider_id  provider_id NOT NULL REFERENCES providers,
  state        text NOT NULL CHECK (state IN ('OPEN', 'COMPLETED', 'CANCELLED')),
  created_at   timestamptz NOT NULL,
  completed_at timestamptz,
  CHECK ((state = 'COMPLETED') = (completed_at IS NOT NULL))
);

-- DOMAIN §5.3. A software id belongs to the provider that registered it first, for ever.
CREATE TABLE software (
  id            software_id PRIMARY KEY,
  provider_id   provider_id NOT NULL REFERENCES providers,
  state         text NOT NULL CHECK (state IN ('DRAFT', 'MEASURED', 'REGISTERED', 'PUBLISHED', 'UNDER_REVIEW', 'PROHIBITED', 'WITHDRAWN')),
  state_reason  text CHECK (length(state_reason) <= 1000),
  registered_at timestamptz,
  created_at    timestamptz NOT NULL,
  UNIQUE (id, provider_id),
  CHECK (registered_at IS NOT NULL OR state IN ('DRAFT', 'MEASURED', 'WITHDRAWN'))
);
CREATE INDEX software_provider ON software (provider_id);

CREATE TABLE work_order_items (
  work_order_id random_id NOT NULL REFERENCES work_orders,
  software_id   software_id NOT NULL REFERENCES software,
  kind          text NOT NULL CHECK (kind IN ('new', 'change', 'other')),                                  -- 新設 / 変更 / その他変更
  PRIMARY KEY (work_order_id, software_id)
);

-- One version of a software; the sizes are sums and maxima over its packages, measured here and never claimed by the provider.
CREATE TABLE releases (
  id              random_id PRIMARY KEY,
  software_id     software_id NOT NULL REFERENCES software,
  version         text NOT NULL CHECK (version ~ '^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$' AND length(version) <= 64),
  min_version     text CHECK (length(min_version) <= 64),
  state           text NOT NULL CHECK (state IN ('ADMITTED', 'HALTED', 'WITHDRAWN')),
  stored_bytes    safe_int NOT NULL CHECK (stored_bytes BETWEEN 1 AND 26214399),
  installed_bytes safe_int NOT NULL CHECK (installed_bytes BETWEEN 1 AND 7864319),
  unit_bytes      integer NOT NULL CHECK (unit_bytes IN (1000000, 1048576)),                               -- D-01
  menu            smallint NOT NULL CHECK (menu BETWEEN 1 AND 5),
  plan            smallint NOT NULL CHECK (plan BETWEEN 1 AND 5),
  work_order_id   random_id REFERENCES work_orders,
  admitted_at     timestamptz NOT NULL,
  UNIQUE (software_id, version),
  UNIQUE (id, software_id),
  CHECK (stored_bytes < 25 * unit_bytes::bigint AND 2 * installed_bytes < 15 * unit_bytes::bigint)         -- E302, E303
);

-- The files themselves lie in <data>/packages/<sha256>, written and synced before the row.
CREATE TABLE packages (
  sha256           sha256_hex PRIMARY KEY,
  release_id       random_id NOT NULL REFERENCES releases,
  bytes            safe_int NOT NULL CHECK (bytes > 0),
  installed_bytes  safe_int NOT NULL CHECK (installed_bytes > 0),
  manifest         jsonb NOT NULL,
  manifest_sha256  sha256_hex NOT NULL,                                                                    -- of manifest.dsse.json
  payload_sha256   sha256_hex NOT NULL,                                                                    -- of the uncompressed tar
  models           text[] NOT NULL CHECK (cardinality(models) BETWEEN 1 AND 64),                           -- {*} or names of the catalogue
  signer_issuer    key_id NOT NULL,
  signer_serial    serial_hex NOT NULL,
  signer_not_after timestamptz NOT NULL,
  admitted_at      timestamptz NOT NULL
);
CREATE INDEX packages_release ON packages (release_id);

-- ---------------------------------------------------------------- customers, sites, gateways

-- customer_id (お客さまID, D-26) is personal data: it stands here only, everything else names the random id.
CREATE TABLE customers (
  id          random_id PRIMARY KEY,
  customer_id text NOT NULL UNIQUE CHECK (customer_id ~ '^[A-Z0-9]{1,20}$'),
  created_at  timestamptz NOT NULL
);

CREATE TABLE consents (
  id            random_id PRIMARY KEY,
  customer      random_id NOT NULL REFERENCES customers,
  provider_id   provider_id NOT NULL REFERENCES providers,
  software_id   software_id REFERENCES software,                                                           -- null: all of this provider's
  scopes        text[] NOT NULL CHECK (cardinality(scopes) >= 1 AND scopes <@ ARRAY['delivery', 'reasonsToProvider', 'diagnostics']),
  reference     text NOT NULL CHECK (length(reference) BETWEEN 1 AND 200),                                 -- the provider's number of the application
  given_by      text NOT NULL CHECK (length(given_by) BETWEEN 1 AND 200),
  given_how     text NOT NULL CHECK (length(given_how) BETWEEN 1 AND 200),
  given_at      timestamptz NOT NULL,
  withdrawn_at  timestamptz CHECK (withdrawn_at >= given_at),
  recorded_at   timestamptz NOT NULL,
  UNIQUE (customer, provider_id, reference)
);

CREATE TABLE sites (
  id         random_id PRIMARY KEY,
  customer   random_id NOT NULL REFERENCES customers,
  label      text NOT NULL DEFAULT '' CHECK (length(label) <= 200),
  created_at timestamptz NOT NULL
);
CREATE INDEX sites_customer ON sites (customer);

-- What is under contract at a site, as dated statements: the newest one in effect counts (DOMAIN §4.1, D-31). Rows are never changed.
CREATE TABLE contract_facts (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id        random_id NOT NULL REFERENCES sites,
  effective_on   date NOT NULL,                                                                            -- JST
  line           text NOT NULL CHECK (line IN ('LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER', 'CROSS', 'NONE')),
  access         text NOT NULL CHECK (access IN ('DIRECT', 'COLLAB')),
  collab_carrier text CHECK (length(collab_carrier) BETWEEN 1 AND 200),
  hgw_model      text CHECK (hgw_model ~ '^[A-Z0-9][A-Z0-9-]{1,19}$'),                                     -- null: none
  denwa          text NOT NULL CHECK (denwa IN ('NONE', 'STANDARD', 'OFFICE_TYPE', 'OFFICE_A')),
  rental         boolean NOT NULL,
  office_eq      text NOT NULL CHECK (office_eq IN ('yes', 'no', 'unknown')),
  bflets         boolean NOT NULL,
  type_changed   text NOT NULL CHECK (type_changed IN ('none', 'applied', 'completed')),
  line_cancelled boolean NOT NULL DEFAULT false,
  hgw_cancelled  boolean NOT NULL DEFAULT false,
  recorded_by    text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 200),
  recorded_at    timestamptz NOT NULL,
  CHECK (access = 'COLLAB' OR collab_carrier IS NULL)
);
CREATE INDEX contract_facts_site ON contract_facts (site_id, effective_on DESC, id DESC);

CREATE TABLE gateways (
  id                    gateway_id PRIMARY KEY,
  site_id               random_id REFERENCES sites,
  model                 text NOT NULL CHECK (model ~ '^[A-Z0-9][A-Z0-9-]{1,19}$'),                         -- as registered; presence may say otherwise
  created_at            timestamptz NOT NULL,
  blocked_at            timestamptz,
  block_reason          text CHECK (length(block_reason) <= 200),
  replaced_at           timestamptz,                                                                       -- swapped out of its site (D-27)
  -- the notice counter: versions are allocated under this row's lock (DESIGN §4)
  notice_version        safe_int NOT NULL DEFAULT 0,
  notice_due_at         timestamptz,                                                                       -- a new notice is wanted from then on
  -- what the gateway last said about itself (presence, retained)
  online                boolean NOT NULL DEFAULT false,
  last_seen_at          timestamptz,
  epoch                 text CHECK (epoch ~ '^[0-9a-z]{16,64}$'),
  boot_id               text CHECK (length(boot_id) <= 64),
  agent_version         text CHECK (length(agent_version) <= 64),
  said_model            text CHECK (length(said_model) <= 20),
  firmware              text CHECK (length(firmware) <= 20),
  node_version          text CHECK (length(node_version) <= 32),
  arch                  text CHECK (length(arch) <= 16),
  root_version          integer CHECK (root_version >= 0),
  applied_version       safe_int,
  applied_sha256        sha256_hex,
  CHECK ((applied_version IS NULL) = (applied_sha256 IS NULL)),
  CHECK ((blocked_at IS NULL) = (block_reason IS NULL))
);
CREATE UNIQUE INDEX gateways_one_a_site ON gateways (site_id) WHERE site_id IS NOT NULL AND replaced_at IS NULL;
CREATE INDEX gateways_notice_due ON gateways (notice_due_at) WHERE notice_due_at IS NOT NULL;

CREATE TABLE gateway_certificates (
  serial        serial_hex PRIMARY KEY,
  gateway_id    gateway_id NOT NULL REFERENCES gateways,
  subject_keyid key_id NOT NULL,
  not_before    timestamptz NOT NULL,
  not_after     timestamptz NOT NULL CHECK (not_after > not_before),
  issued_at     timestamptz NOT NULL,
  first_used_at timestamptz,                                                                               -- its first mTLS connect
  cut_off_at    timestamptz                                                                                -- a newer one was used since
);
CREATE INDEX gateway_certificates_gateway ON gateway_certificates (gateway_id, issued_at DESC);

-- The token itself is never stored. Bound to the first public key that came with it; spent at the first mTLS connect; void after 5 wrong tries.
CREATE TABLE invitations (
  id            random_id PRIMARY KEY,
  gateway_id    gateway_id NOT NULL REFERENCES gateways,
  token_sha256  sha256_hex NOT NULL UNIQUE,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
  subject_keyid key_id,
  wrong_tries   smallint NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND 1000),
  spent_at      timestamptz,
  voided_at     timestamptz                                                                                -- by a newer invitation or by hand
);
CREATE INDEX invitations_gateway ON invitations (gateway_id, created_at DESC);

-- ---------------------------------------------------------------- targets: one software at one site under one contract

CREATE TABLE targets (
  id                 random_id PRIMARY KEY,
  software_id        software_id NOT NULL,
  provider_id        provider_id NOT NULL,
  site_id            random_id NOT NULL REFERENCES sites,
  state              text NOT NULL CHECK (state IN ('REQUESTED', 'HOLD', 'READY', 'DELIVERING', 'ACTIVE', 'UPDATING', 'ROLLED_BACK', 'SUSPENDED', 'FAILED', 'REJECTED', 'TERMINATED')),
  state_codes        text[] NOT NULL DEFAULT '{}',                                                         -- why it stands there: E106, …
  release_id         random_id,                                                                            -- the version that is wanted
  rollback           jsonb,                                                                                -- {from, order, reason} when that version is lower
  plan               smallint CHECK (plan BETWEEN 1 AND 5),
  attempt            integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  consent_id         random_id REFERENCES consents,
  requested_at       timestamptz NOT NULL,
  requested_by       text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
  ready_at           timestamptz,                                                                          -- left HOLD: the add-on fee's registration (D-09)
  entered_notice_at  timestamptz,
  deadline           timestamptz,                                                                          -- of the deployment that is wanted now
  entitled_until     timestamptz,                                                                          -- the newest lease that was signed
  grace_until        timestamptz,
  committed_version  text CHECK (length(committed_version) <= 64),                                         -- what the gateway last said it runs
  ended_at           timestamptz,
  removed_reason     text CHECK (removed_reason IN ('cancelled', 'prohibited', 'withdrawn', 'household', 'replaced')),
  purged_at          timestamptz,                                                                          -- the purge report came: no more `removed` entry
  FOREIGN KEY (software_id, provider_id) REFERENCES software (id, provider_id),
  FOREIGN KEY (release_id, software_id) REFERENCES releases (id, software_id),
  CHECK ((state IN ('TERMINATED', 'REJECTED')) = (ended_at IS NOT NULL)),
  CHECK (state IN ('REQUESTED', 'HOLD', 'REJECTED', 'TERMINATED') OR (ready_at IS NOT NULL AND release_id IS NOT NULL AND plan IS NOT NULL)),
  CHECK (state <> 'TERMINATED' OR removed_reason IS NOT NULL)
);
CREATE UNIQUE INDEX targets_one_open ON targets (software_id, site_id) WHERE ended_at IS NULL;
CREATE INDEX targets_site ON targets (site_id);
CREATE INDEX targets_software ON targets (software_id);

-- 「いつ・なぜ変わったか」: every step a target took, and who or what made it.
CREATE TABLE target_events (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target_id  random_id NOT NULL REFERENCES targets,
  at         timestamptz NOT NULL,
  event      text NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
  from_state text,
  to_state   text NOT NULL,
  codes      text[] NOT NULL DEFAULT '{}',
  by         text NOT NULL CHECK (length(by) BETWEEN 1 AND 200),
  detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX target_events_target ON target_events (target_id, id);

-- ---------------------------------------------------------------- what was said to gateways, and what they answered

CREATE TABLE notices (
  gateway_id   gateway_id NOT NULL REFERENCES gateways,
  version      safe_int NOT NULL CHECK (version > 0),
  sha256       sha256_hex NOT NULL,                                                                        -- of the envelope as it is published
  envelope     bytea NOT NULL CHECK (octet_length(envelope) <= 131072),
  root_version integer NOT NULL CHECK (root_version >= 1),
  issued_at    timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > issued_at),
  PRIMARY KEY (gateway_id, version)
);

CREATE TABLE gateway_requests (
  id         random_id PRIMARY KEY,
  gateway_id gateway_id NOT NULL REFERENCES gateways,
  kind       text NOT NULL CHECK (kind IN ('bundle', 'resync')),
  max_bytes  safe_int NOT NULL,
  created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  done_at    timestamptz
);
CREATE INDEX gateway_requests_gateway ON gateway_requests (gateway_id) WHERE done_at IS NULL;

CREATE TABLE reports (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id    gateway_id NOT NULL REFERENCES gateways,
  epoch         text NOT NULL CHECK (epoch ~ '^[0-9a-z]{16,64}$'),
  seq           safe_int NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('start', 'end', 'failure', 'purge', 'resync', 'supervisor', 'orphan', 'answer')),
  at            timestamptz NOT NULL,                                                                      -- the gateway's clock: a claim
  received_at   timestamptz NOT NULL,
  target_id     text CHECK (length(target_id) <= 32),                                                      -- a claim too: no foreign key
  deployment    text CHECK (length(deployment) <= 64),
  software_id   text CHECK (length(software_id) <= 64),
  version       text CHECK (length(version) <= 64),
  state         text CHECK (length(state) <= 32),
  number        text CHECK (length(number) <= 8),
  code          text CHECK (length(code) <= 64),
  detail        jsonb NOT NULL DEFAULT '{}',
  UNIQUE (gateway_id, epoch, seq)
);
CREATE INDEX reports_target ON reports (target_id, id DESC) WHERE target_id IS NOT NULL;

-- The cumulative acknowledgement of one gateway's outbox: everything ≤ up_to is in `reports`.
CREATE TABLE report_marks (
  gateway_id gateway_id NOT NULL REFERENCES gateways,
  epoch      text NOT NULL CHECK (epoch ~ '^[0-9a-z]{16,64}$'),
  up_to      bigint NOT NULL CHECK (up_to >= -1),
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, epoch)
);

CREATE TABLE telemetry (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_id  gateway_id NOT NULL REFERENCES gateways,
  received_at timestamptz NOT NULL,
  body        bytea NOT NULL CHECK (octet_length(body) <= 65536)
);
CREATE INDEX telemetry_gateway ON telemetry (gateway_id, received_at DESC);

CREATE TABLE bundles (
  request_id  random_id PRIMARY KEY REFERENCES gateway_requests,
  gateway_id  gateway_id NOT NULL REFERENCES gateways,
  sha256      sha256_hex NOT NULL,
  bytes       safe_int NOT NULL,
  received_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------- people: tokens and the audit log

CREATE TABLE api_tokens (
  id           random_id PRIMARY KEY,
  sha256       sha256_hex NOT NULL UNIQUE,
  role         text NOT NULL CHECK (role IN ('operator', 'provider', 'technician', 'viewer')),
  provider_id  provider_id REFERENCES providers,
  label        text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz CHECK (expires_at > created_at),
  revoked_at   timestamptz,
  last_used_at timestamptz,
  CHECK ((role = 'provider') = (provider_id IS NOT NULL))
);

-- Append-only and hash-chained: hash = sha256(prev_hash || canonical row). The triggers stop a mistake; the chain shows a crime.
CREATE TABLE audit (
  seq       bigint PRIMARY KEY CHECK (seq >= 1),
  at        timestamptz NOT NULL,
  actor     text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
  action    text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
  subject   text NOT NULL CHECK (length(subject) <= 200),
  detail    jsonb NOT NULL,
  prev_hash sha256_hex NOT NULL,
  hash      sha256_hex NOT NULL UNIQUE
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_facts_append_only BEFORE UPDATE ON contract_facts FOR EACH ROW EXECUTE FUNCTION refuse_change();
