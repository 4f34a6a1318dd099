-- Contract events (DOMAIN D-31) and the second person's approval (DESIGN §4).

-- What happens to a contract, with the day in Japan on which it takes effect. Rows are never changed: a mistake is voided by another row.
CREATE TABLE contract_events (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id       random_id NOT NULL REFERENCES sites,
  kind          text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{2,39}$'),
  effective_on  date NOT NULL,
  detail        jsonb NOT NULL DEFAULT '{}',
  entered_at    timestamptz NOT NULL,
  entered_by    text NOT NULL CHECK (length(entered_by) BETWEEN 1 AND 200),
  entered_token random_id REFERENCES api_tokens
);
CREATE INDEX contract_events_site ON contract_events (site_id, effective_on, id);
CREATE TRIGGER contract_events_append_only BEFORE UPDATE OR DELETE ON contract_events FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An event without a row here still waits for the end of its day.
CREATE TABLE contract_events_settled (
  event_id   bigint PRIMARY KEY REFERENCES contract_events,
  outcome    text NOT NULL CHECK (outcome IN ('applied', 'void')),
  facts_id   bigint REFERENCES contract_facts,                                                             -- the statement that it became part of
  settled_at timestamptz NOT NULL,
  settled_by text NOT NULL CHECK (length(settled_by) BETWEEN 1 AND 200)
);

-- Who issued a token: a token and one that it issued are the same hand, not a second person.
ALTER TABLE api_tokens ADD COLUMN created_by random_id REFERENCES api_tokens;

-- Changes that would end more than max(10, 1 %) of the targets wait here for a second person.
CREATE TABLE pending_changes (
  id           random_id PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('contract-day', 'prohibit', 'withdraw', 'cancel')),
  subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),                                    -- the day, the software, …
  detail       jsonb NOT NULL DEFAULT '{}',
  targets      text[] NOT NULL CHECK (cardinality(targets) >= 1),                                          -- exactly these may end
  most         integer NOT NULL CHECK (most >= 10),                                                        -- how many could have ended without approval
  proposed_by  text NOT NULL CHECK (length(proposed_by) BETWEEN 1 AND 200),
  proposers    text[] NOT NULL,                                                                            -- tokens whose holders cannot approve it
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
  decision     text CHECK (decision IN ('approved', 'declined')),
  decided_at   timestamptz,
  decided_by   text CHECK (length(decided_by) BETWEEN 1 AND 200),
  CHECK ((decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL))
);
CREATE INDEX pending_changes_subject ON pending_changes (kind, subject);
CREATE INDEX targets_open ON targets (id) WHERE ended_at IS NULL;
