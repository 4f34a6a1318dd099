-- Work orders (工事), what is measured and not registered yet, halts, the steps of a software's life, and requests for certificates
-- (DOMAIN §3, §5.3, D-21, D-22, D-33).

-- 「いつ・なぜ変わったか」: every step a software took. The name of one that never was registered is free again, its steps go with it.
CREATE TABLE software_events (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  software_id software_id NOT NULL REFERENCES software ON DELETE CASCADE,
  at          timestamptz NOT NULL,
  event       text NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
  from_state  text NOT NULL,
  to_state    text NOT NULL,
  by          text NOT NULL CHECK (length(by) BETWEEN 1 AND 200),
  reason      text CHECK (length(reason) <= 1000)
);
CREATE INDEX software_events_software ON software_events (software_id, id);

-- Who stopped a release: a provider cannot start what the operator stopped. halted_for: until a second person has decided about that change.
ALTER TABLE releases
  ADD COLUMN halted_at   timestamptz,
  ADD COLUMN halted_by   text CHECK (halted_by IN ('operator', 'provider')),
  ADD COLUMN halt_reason text CHECK (length(halt_reason) <= 1000),
  ADD COLUMN halted_for  random_id REFERENCES pending_changes;
UPDATE releases SET halted_at = admitted_at, halted_by = 'operator', halt_reason = '' WHERE state = 'HALTED';
ALTER TABLE releases
  ADD CHECK ((state = 'HALTED') = (halted_at IS NOT NULL)),
  ADD CHECK ((halted_at IS NULL) = (halted_by IS NULL) AND (halted_at IS NULL) = (halt_reason IS NULL)),
  ADD CHECK (halted_for IS NULL OR halted_at IS NOT NULL);

-- What a person accepted, in yen, before money is spent. Work orders that the server opened and completed by itself have nothing here.
ALTER TABLE work_orders
  ADD COLUMN opened_by            text NOT NULL DEFAULT 'system' CHECK (length(opened_by) BETWEEN 1 AND 200),
  ADD COLUMN note                 text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
  ADD COLUMN accepted_one_off_yen safe_int,
  ADD COLUMN accepted_monthly_yen safe_int,
  ADD COLUMN accepted_by          text CHECK (length(accepted_by) BETWEEN 1 AND 200),
  ADD COLUMN accepted_at          timestamptz,
  ADD COLUMN cancelled_at         timestamptz,
  ADD COLUMN cancel_reason        text CHECK (length(cancel_reason) <= 1000);
UPDATE work_orders SET cancelled_at = created_at, cancel_reason = '' WHERE state = 'CANCELLED';
ALTER TABLE work_orders
  ADD CHECK ((state = 'CANCELLED') = (cancelled_at IS NOT NULL) AND (cancelled_at IS NULL) = (cancel_reason IS NULL)),
  ADD CHECK (num_nulls(accepted_one_off_yen, accepted_monthly_yen, accepted_by, accepted_at) IN (0, 4));
CREATE INDEX work_orders_provider ON work_orders (provider_id, created_at);

-- release_id: the measured release that the work registers, which is its id in `releases` too (unless that version was there before, and got a
-- further package). A cancelled order may name a software that never came to be, so neither is a foreign key.
ALTER TABLE work_order_items
  DROP CONSTRAINT work_order_items_software_id_fkey,
  ADD COLUMN release_id random_id,
  ADD COLUMN version    text CHECK (length(version) <= 64),
  ADD COLUMN note       text NOT NULL DEFAULT '' CHECK (length(note) <= 1000);
UPDATE work_order_items i SET release_id = r.id, version = r.version FROM releases r WHERE r.work_order_id = i.work_order_id AND r.software_id = i.software_id;
ALTER TABLE work_order_items ADD CHECK (kind = 'other' OR release_id IS NOT NULL);
CREATE INDEX work_order_items_release ON work_order_items (release_id);

-- The first half of a release's life, MEASURED: uploaded, proven and measured, not registered. No software row: an id that nobody pays for
-- belongs to nobody, two providers may hold the same one here, and whoever registers it first has it.
CREATE TABLE measured_releases (
  id              random_id PRIMARY KEY,                                                                   -- its id as a release, later
  provider_id     provider_id NOT NULL REFERENCES providers,
  software_id     software_id NOT NULL,
  version         text NOT NULL CHECK (version ~ '^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$' AND length(version) <= 64),
  uploaded_by     text NOT NULL CHECK (length(uploaded_by) BETWEEN 1 AND 200),
  uploaded_at     timestamptz NOT NULL,                                                                    -- of its newest package: the time to register it runs from here
  work_order_id   random_id REFERENCES work_orders,                                                        -- the open order that will register it
  UNIQUE (provider_id, software_id, version)
);
CREATE INDEX measured_releases_uploaded ON measured_releases (uploaded_at) WHERE work_order_id IS NULL;

CREATE TABLE measured_packages (
  sha256           sha256_hex PRIMARY KEY,
  release_id       random_id NOT NULL REFERENCES measured_releases ON DELETE CASCADE,
  bytes            safe_int NOT NULL CHECK (bytes > 0),
  installed_bytes  safe_int NOT NULL CHECK (installed_bytes > 0),
  manifest         jsonb NOT NULL,
  manifest_sha256  sha256_hex NOT NULL,
  payload_sha256   sha256_hex NOT NULL,
  models           text[] NOT NULL CHECK (cardinality(models) BETWEEN 1 AND 64),
  signer_issuer    key_id NOT NULL,
  signer_serial    serial_hex NOT NULL,
  signer_not_after timestamptz NOT NULL,
  uploaded_at      timestamptz NOT NULL
);
CREATE INDEX measured_packages_release ON measured_packages (release_id);

-- Files whose package was signed anew: kept while a notice that names them may be on its way, then dropped. A file that neither stands here nor
-- belongs to a package is garbage of a kill.
CREATE TABLE replaced_packages (
  sha256      sha256_hex PRIMARY KEY,
  software_id software_id NOT NULL,
  replaced_at timestamptz NOT NULL
);

-- A provider asks, the operator compares the key id with the one that the provider reads out to it, and issues or refuses.
CREATE TABLE certificate_requests (
  id            random_id PRIMARY KEY,
  provider_id   provider_id NOT NULL REFERENCES providers,
  csr           text NOT NULL CHECK (length(csr) BETWEEN 1 AND 16384),
  subject_keyid key_id NOT NULL,
  organisation  text NOT NULL CHECK (length(organisation) BETWEEN 1 AND 200),
  state         text NOT NULL CHECK (state IN ('WAITING', 'ISSUED', 'REFUSED')),
  requested_by  text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
  requested_at  timestamptz NOT NULL,
  decided_by    text CHECK (length(decided_by) BETWEEN 1 AND 200),
  decided_at    timestamptz,
  refuse_reason text CHECK (length(refuse_reason) <= 1000),
  issuer_keyid  key_id,
  serial        serial_hex,
  FOREIGN KEY (issuer_keyid, serial) REFERENCES provider_certificates (issuer_keyid, serial),
  CHECK ((state = 'WAITING') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((state = 'ISSUED') = (serial IS NOT NULL) AND (serial IS NULL) = (issuer_keyid IS NULL)),
  CHECK ((state = 'REFUSED') = (refuse_reason IS NOT NULL))
);
CREATE UNIQUE INDEX certificate_requests_one_a_key ON certificate_requests (provider_id, subject_keyid) WHERE state = 'WAITING';
CREATE INDEX certificate_requests_provider ON certificate_requests (provider_id, requested_at);
