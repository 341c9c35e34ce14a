BEGIN TRANSACTION;
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, state TEXT NOT NULL,
    created REAL NOT NULL, started REAL, finished REAL, attempts INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL, result TEXT, problem TEXT, key TEXT UNIQUE, digest TEXT, owner TEXT);
INSERT INTO "jobs" VALUES('00000000000000000000000000000007','batch','cookie','done',1782000000.0,1782000000.0,1782000000.0,1,'{"threshold": 2.5}','{"lines": 2}',NULL,'monday-1','d','line');
INSERT INTO "jobs" VALUES('00000000000000000000000000000008','build','bagel','failed',1782000000.0,1782000000.0,1782000000.0,1,'{"folder": "bagel"}',NULL,'{"code": "build_refused"}',NULL,'','line');
CREATE TABLE lines (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (job, number)) WITHOUT ROWID;
INSERT INTO "lines" VALUES('00000000000000000000000000000007',1,'{"part_id": "1"}');
INSERT INTO "lines" VALUES('00000000000000000000000000000007',2,'{"part_id": "2"}');
CREATE INDEX jobs_by_turn ON jobs (state, kind, created);
COMMIT;
PRAGMA user_version = 2;
