-- Ethics cases, withdrawn consents, the seven steps of a customer, silent deployments, and what is erased on request (DOMAIN §2, §5.1, §5.3, §12).

-- ---------------------------------------------------------------- complaints, and the third party's review (倫理審査)

-- Every complaint (苦情など申告) is written down. One about the content, or another report, belongs to a case; one about money or quality does not.
CREATE TABLE ethics_cases (
  id          random_id PRIMARY KEY,
  software_id software_id NOT NULL REFERENCES software,
  opened_at   timestamptz NOT NULL,
  opened_by   text NOT NULL CHECK (length(opened_by) BETWEEN 1 AND 200),
  decision    text CHECK (decision IN ('passed', 'failed')),
  reviewer    text CHECK (length(reviewer) BETWEEN 1 AND 200),                                             -- 第三者機関: who decided
  reason      text CHECK (length(reason) BETWEEN 1 AND 1000),
  decided_at  timestamptz,
  decided_by  text CHECK (length(decided_by) BETWEEN 1 AND 200),                                           -- who entered the decision
  CHECK (num_nulls(decision, reviewer, reason, decided_at, decided_by) IN (0, 5))
);
CREATE UNIQUE INDEX ethics_cases_one_open ON ethics_cases (software_id) WHERE decision IS NULL;
CREATE INDEX ethics_cases_software ON ethics_cases (software_id, opened_at);

CREATE TABLE complaints (
  id          random_id PRIMARY KEY,
  software_id software_id NOT NULL REFERENCES software,
  kind        text NOT NULL CHECK (kind IN ('content', 'report', 'billing', 'quality', 'other')),
  said        text NOT NULL CHECK (length(said) BETWEEN 1 AND 2000),                                       -- no personal data
  received_on date NOT NULL,                                                                               -- JST
  case_id     random_id REFERENCES ethics_cases,
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 200),
  CHECK (case_id IS NULL OR kind IN ('content', 'report'))
);
CREATE INDEX complaints_software ON complaints (software_id, recorded_at);
CREATE INDEX complaints_case ON complaints (case_id);
CREATE TRIGGER complaints_append_only BEFORE UPDATE OR DELETE ON complaints FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE ethics_notes (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id  random_id NOT NULL REFERENCES ethics_cases,
  kind     text NOT NULL CHECK (kind IN ('note', 'evidence')),
  text     text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
  document sha256_hex,                                                                                     -- of a paper that is kept elsewhere
  at       timestamptz NOT NULL,
  by       text NOT NULL CHECK (length(by) BETWEEN 1 AND 200)
);
CREATE INDEX ethics_notes_case ON ethics_notes (case_id, id);
CREATE TRIGGER ethics_notes_append_only BEFORE UPDATE OR DELETE ON ethics_notes FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- consents, taken back scope by scope

-- provider_id null: given to the operator itself, which only diagnostics can be. A paper counts for the software that it names, so two orders with one
-- number are two consents.
ALTER TABLE consents
  ALTER COLUMN provider_id DROP NOT NULL,
  ADD COLUMN recorded_by text NOT NULL DEFAULT 'system' CHECK (length(recorded_by) BETWEEN 1 AND 200),
  ADD CHECK (provider_id IS NOT NULL OR (software_id IS NULL AND scopes = ARRAY['diagnostics'])),
  DROP CONSTRAINT consents_customer_provider_id_reference_key,
  ADD UNIQUE NULLS NOT DISTINCT (customer, provider_id, software_id, reference);

CREATE TABLE consent_withdrawals (
  consent_id    random_id NOT NULL REFERENCES consents ON DELETE CASCADE,
  scope         text NOT NULL CHECK (scope IN ('delivery', 'reasonsToProvider', 'diagnostics')),
  withdrawn_at  timestamptz NOT NULL,
  withdrawn_by  text NOT NULL CHECK (length(withdrawn_by) BETWEEN 1 AND 200),
  withdrawn_how text NOT NULL CHECK (length(withdrawn_how) BETWEEN 1 AND 200),
  recorded_at   timestamptz NOT NULL,
  recorded_by   text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 200),
  PRIMARY KEY (consent_id, scope)
);
INSERT INTO consent_withdrawals (consent_id, scope, withdrawn_at, withdrawn_by, withdrawn_how, recorded_at, recorded_by)
  SELECT id, unnest(scopes), withdrawn_at, given_by, given_how, withdrawn_at, 'system' FROM consents WHERE withdrawn_at IS NOT NULL;
ALTER TABLE consents DROP COLUMN withdrawn_at;

-- ---------------------------------------------------------------- お客さまがサービスを利用するまでの流れ: one customer's way to one software

-- The provider's number stands for the customer until step 3 or 5 names the お客さまID.
CREATE TABLE applications (
  id          random_id PRIMARY KEY,
  software_id software_id NOT NULL,
  provider_id provider_id NOT NULL,
  reference   text NOT NULL CHECK (length(reference) BETWEEN 1 AND 200),
  state       text NOT NULL CHECK (state IN ('APPLIED', 'CONSULTED', 'LINE_ORDERED', 'LINE_READY', 'ENV_READY', 'REQUESTED', 'ACTIVE', 'CLOSED')),
  customer    random_id REFERENCES customers,
  target_id   random_id REFERENCES targets,
  created_at  timestamptz NOT NULL,
  FOREIGN KEY (software_id, provider_id) REFERENCES software (id, provider_id),
  UNIQUE (provider_id, software_id, reference),
  CHECK (state NOT IN ('REQUESTED', 'ACTIVE') OR (customer IS NOT NULL AND target_id IS NOT NULL))
);
CREATE INDEX applications_customer ON applications (customer, software_id);
CREATE UNIQUE INDEX applications_target ON applications (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX applications_created ON applications (created_at, id);

CREATE TABLE application_steps (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  application_id random_id NOT NULL REFERENCES applications ON DELETE CASCADE,
  event          text NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
  from_state     text,
  to_state       text NOT NULL,
  prepared_by    text CHECK (prepared_by IN ('installer', 'customer', 'notNeeded')),
  at             timestamptz NOT NULL,
  by             text NOT NULL CHECK (length(by) BETWEEN 1 AND 200)
);
CREATE INDEX application_steps_application ON application_steps (application_id, id);

-- ---------------------------------------------------------------- disclosure and erasure (DOMAIN §12)

-- The お客さまID is taken out when a customer is erased; the random id stays, for what has to be kept without a name.
ALTER TABLE customers
  ALTER COLUMN customer_id DROP NOT NULL,
  ADD COLUMN erased_at timestamptz,
  ADD CHECK ((customer_id IS NULL) = (erased_at IS NOT NULL));

CREATE TABLE erasures (
  customer     random_id PRIMARY KEY REFERENCES customers,
  requested_at timestamptz NOT NULL,
  requested_by text NOT NULL CHECK (length(requested_by) BETWEEN 1 AND 200),
  why          text NOT NULL CHECK (length(why) BETWEEN 1 AND 200),
  finished_at  timestamptz
);
CREATE INDEX erasures_open ON erasures (requested_at) WHERE finished_at IS NULL;

-- Since when a gateway stands where it stands: what it said before belongs to whoever had it then.
ALTER TABLE gateways ADD COLUMN bound_at timestamptz;
UPDATE gateways SET bound_at = created_at WHERE site_id IS NOT NULL;

-- A mistake still cannot change what was entered; the erasure of a customer takes it away as a whole.
DROP TRIGGER contract_events_append_only ON contract_events;
CREATE TRIGGER contract_events_append_only BEFORE UPDATE OR DELETE ON contract_events
  FOR EACH ROW WHEN (coalesce(current_setting('tsugite.erasing', true), '') <> 'on') EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- deployments of which nobody has heard by their deadline

-- One row a deadline: the next wish has another. What the gateway says later is not lost, it stands in `reports`.
CREATE TABLE silent_deployments (
  target_id random_id NOT NULL REFERENCES targets,
  deadline  timestamptz NOT NULL,
  version   text CHECK (length(version) <= 64),
  found_at  timestamptz NOT NULL,
  PRIMARY KEY (target_id, deadline)
);

-- The list "not delivered" goes by the age of the order.
CREATE INDEX targets_requested ON targets (requested_at, id);
