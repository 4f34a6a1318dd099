-- Who did what to one thing, and what one person did: both are asked of a log that is never shortened.
CREATE INDEX audit_subject ON audit (subject, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
