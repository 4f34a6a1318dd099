-- Telemetry as rows: what a day in Japan was like, for each gateway and each target (DESIGN §6). The messages themselves are not kept; what 0001 held
-- of them came from no agent.
DROP TABLE telemetry;

-- What was taken: a message that comes again counts nothing. Swept once messages of that age are refused anyway (server/rules/telemetry-day.ts).
CREATE TABLE telemetry_messages (
  gateway_id  gateway_id NOT NULL REFERENCES gateways ON DELETE CASCADE,
  epoch       text NOT NULL CHECK (epoch ~ '^[0-9a-f]{32}$'),
  from_at     timestamptz NOT NULL,
  day         date NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, epoch, from_at)
);
CREATE INDEX telemetry_messages_day ON telemetry_messages (day);

-- The two below are swept by their day. A day in which a gateway was reset has two messages: peaks count once, sums are added.
CREATE TABLE gateway_days (
  gateway_id    gateway_id NOT NULL REFERENCES gateways ON DELETE CASCADE,
  day           date NOT NULL,
  model         text NOT NULL CHECK (length(model) BETWEEN 1 AND 20),                                      -- as it was then
  hours         smallint NOT NULL CHECK (hours BETWEEN 0 AND 24),                                          -- in which the agent ran
  rss_peak_kib  safe_int NOT NULL,
  control_bytes safe_int NOT NULL,
  reconnects    safe_int NOT NULL,
  PRIMARY KEY (gateway_id, day)
);
CREATE INDEX gateway_days_day ON gateway_days (day);

CREATE TABLE target_days (
  target_id          random_id NOT NULL REFERENCES targets ON DELETE CASCADE,
  gateway_id         gateway_id NOT NULL REFERENCES gateways ON DELETE CASCADE,
  day                date NOT NULL,
  model              text NOT NULL CHECK (length(model) BETWEEN 1 AND 20),
  hours_up           smallint NOT NULL CHECK (hours_up BETWEEN 0 AND 24),
  memory_peak_kib    safe_int NOT NULL,
  restarts           safe_int NOT NULL,
  data_kib           safe_int NOT NULL,
  denied_connections safe_int NOT NULL,
  own                jsonb NOT NULL DEFAULT '{}',                                                          -- numbers that the software said of itself
  PRIMARY KEY (target_id, gateway_id, day)
);
CREATE INDEX target_days_day ON target_days (day);

-- A period's installs and failures, without a look at every report that ever came.
CREATE INDEX reports_outcomes ON reports (received_at) WHERE target_id IS NOT NULL AND kind IN ('end', 'failure', 'supervisor');
