-- What a month is charged by (DOMAIN §3, D-03 to D-11, D-35), and the months that were closed.

-- The classes as they were: the one in force at a month's first moment in Japan is the month's (D-35). Rows are only added; the highest id is the newest.
CREATE TABLE software_classes (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  software_id  software_id NOT NULL,
  release_id   random_id NOT NULL,
  menu         smallint NOT NULL CHECK (menu BETWEEN 1 AND 5),
  stored_bytes safe_int NOT NULL CHECK (stored_bytes > 0),
  unit_bytes   integer NOT NULL CHECK (unit_bytes IN (1000000, 1048576)),                                   -- D-01
  since        timestamptz NOT NULL,
  FOREIGN KEY (release_id, software_id) REFERENCES releases (id, software_id)
);
CREATE INDEX software_classes_software ON software_classes (software_id, id DESC);
CREATE TRIGGER software_classes_append_only BEFORE UPDATE OR DELETE ON software_classes FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE target_plans (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target_id       random_id NOT NULL REFERENCES targets,
  release_id      random_id NOT NULL REFERENCES releases,
  plan            smallint NOT NULL CHECK (plan BETWEEN 1 AND 5),
  installed_bytes safe_int NOT NULL CHECK (installed_bytes > 0),
  unit_bytes      integer NOT NULL CHECK (unit_bytes IN (1000000, 1048576)),
  since           timestamptz NOT NULL
);
CREATE INDEX target_plans_target ON target_plans (target_id, id DESC);
CREATE TRIGGER target_plans_append_only BEFORE UPDATE OR DELETE ON target_plans FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- No month was ever closed before these tables, so what stands now is taken for what always stood.
INSERT INTO software_classes (software_id, release_id, menu, stored_bytes, unit_bytes, since)
  SELECT software_id, id, menu, stored_bytes, unit_bytes, admitted_at FROM releases ORDER BY admitted_at, id;
INSERT INTO target_plans (target_id, release_id, plan, installed_bytes, unit_bytes, since)
  SELECT t.id, r.id, r.plan, r.installed_bytes, r.unit_bytes, t.requested_at FROM targets t JOIN releases r ON r.id = t.release_id ORDER BY t.requested_at, t.id;

-- Until when the base fee runs: withdrawal or prohibition, whichever ends the software.
ALTER TABLE software ADD COLUMN cancelled_at timestamptz;
UPDATE software s SET cancelled_at = coalesce(
    (SELECT max(a.at) FROM audit a WHERE a.subject = s.id AND a.action IN ('software.withdraw', 'software.prohibit')), s.registered_at)
  WHERE s.state IN ('PROHIBITED', 'WITHDRAWN') AND s.registered_at IS NOT NULL;
ALTER TABLE software ADD CONSTRAINT software_cancelled
  CHECK ((cancelled_at IS NOT NULL) = (registered_at IS NOT NULL AND state IN ('PROHIBITED', 'WITHDRAWN')));

-- Until when the add-on fee runs: the day in Japan on which the contract ended (D-31). Its end is carried out after that day, often in the next month.
ALTER TABLE targets ADD COLUMN ended_on date;
UPDATE targets SET ended_on = (ended_at AT TIME ZONE 'UTC' + interval '9 hours')::date WHERE ended_at IS NOT NULL;
ALTER TABLE targets ADD CONSTRAINT targets_ended_on CHECK ((ended_at IS NULL) = (ended_on IS NULL));
CREATE INDEX targets_of_provider ON targets (provider_id, site_id, id);
CREATE INDEX work_orders_completed ON work_orders (provider_id, completed_at) WHERE state = 'COMPLETED';

-- ---------------------------------------------------------------- closed months: nothing in here ever changes

CREATE TABLE billing_months (
  month     text PRIMARY KEY CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),                                  -- JST
  closed_at timestamptz NOT NULL,
  closed_by text NOT NULL CHECK (length(closed_by) BETWEEN 1 AND 200)
);
CREATE TRIGGER billing_months_append_only BEFORE UPDATE OR DELETE ON billing_months FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE invoices (
  month       text NOT NULL REFERENCES billing_months,
  provider_id provider_id NOT NULL REFERENCES providers,
  number      text NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 64),
  total_yen   safe_int NOT NULL,
  tax_yen     safe_int NOT NULL CHECK (tax_yen <= total_yen),                                               -- contained in the total
  lines       integer NOT NULL CHECK (lines >= 1),
  software    integer NOT NULL CHECK (software >= 0),                                                       -- charged a base fee
  targets     integer NOT NULL CHECK (targets >= 0),                                                        -- charged an add-on fee
  PRIMARY KEY (month, provider_id)
);
CREATE TRIGGER invoices_append_only BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The papers as they were made, byte for byte; a long one lies in parts, which are written before its sum is known.
CREATE TABLE invoice_documents (
  month       text NOT NULL,
  provider_id provider_id NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('json', 'csv', 'html', 'targets')),
  bytes       safe_int NOT NULL,
  sha256      sha256_hex NOT NULL,
  PRIMARY KEY (month, provider_id, kind),
  FOREIGN KEY (month, provider_id) REFERENCES invoices (month, provider_id)
);
CREATE TRIGGER invoice_documents_append_only BEFORE UPDATE OR DELETE ON invoice_documents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE invoice_document_parts (
  month       text NOT NULL,
  provider_id provider_id NOT NULL,
  kind        text NOT NULL,
  part        integer NOT NULL CHECK (part >= 0),
  body        bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 16777216),
  PRIMARY KEY (month, provider_id, kind, part),
  FOREIGN KEY (month, provider_id, kind) REFERENCES invoice_documents (month, provider_id, kind) DEFERRABLE INITIALLY DEFERRED
);
CREATE TRIGGER invoice_document_parts_append_only BEFORE UPDATE OR DELETE ON invoice_document_parts FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A completed work order is charged once, whichever month it was found in.
CREATE TABLE charged_work_orders (
  work_order_id random_id PRIMARY KEY REFERENCES work_orders,
  month         text NOT NULL,
  provider_id   provider_id NOT NULL,
  FOREIGN KEY (month, provider_id) REFERENCES invoices (month, provider_id)
);
CREATE TRIGGER charged_work_orders_append_only BEFORE UPDATE OR DELETE ON charged_work_orders FOR EACH ROW EXECUTE FUNCTION refuse_change();
