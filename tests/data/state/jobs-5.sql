BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('jobs_5');
CREATE TABLE "jobs" (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    product TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
    attempts INTEGER NOT NULL DEFAULT 0, request TEXT NOT NULL, result TEXT, problem TEXT, key TEXT UNIQUE,
    digest TEXT, owner TEXT, ran REAL, bytes BIGINT NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'00000000000000000000000000000007','batch','cookie','done',1782000000.0,1782000000.0,1782000000.0,1,'{"threshold": 2.5}','{"lines": 2}',NULL,'monday-1','d','line',9.20868999969570722896e-04,158);
INSERT INTO "jobs" VALUES(2,'00000000000000000000000000000008','build','bagel','failed',1782000000.0,1782000000.0,1782000000.0,1,'{"folder": "bagel"}',NULL,'{"code": "build_refused"}',NULL,'','line',3.74506200000723765697e-03,19);
CREATE TABLE lines (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (job, number)) WITHOUT ROWID;
INSERT INTO "lines" VALUES('00000000000000000000000000000007',1,'{"part_id": "1"}');
INSERT INTO "lines" VALUES('00000000000000000000000000000007',2,'{"part_id": "2"}');
CREATE TABLE running (seconds REAL NOT NULL);
INSERT INTO "running" VALUES(5.12205859999994572717e-02);
CREATE INDEX jobs_by_turn ON jobs (state, kind, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',2);
COMMIT;
PRAGMA user_version = 5;
