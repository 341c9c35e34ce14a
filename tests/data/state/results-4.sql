BEGIN TRANSACTION;
CREATE TABLE requests (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, result TEXT NOT NULL REFERENCES results (id) ON DELETE CASCADE
    ) WITHOUT ROWID;
CREATE TABLE results (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
    product TEXT NOT NULL, part_id TEXT, bank_version TEXT NOT NULL, score REAL NOT NULL,
    threshold REAL NOT NULL, decision TEXT NOT NULL, simulates TEXT,
    verdict TEXT, verdict_time REAL, note TEXT,
    bytes INTEGER NOT NULL, answer TEXT NOT NULL, picture BLOB NOT NULL, ran REAL NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 1, judged_by TEXT);
INSERT INTO "results" VALUES(1,'00000000000000000000000000000001',1781900001.0,'cookie','part-1','v1',1.0,2.5,'good',NULL,NULL,NULL,NULL,556,'{"score": 1.0, "plane_found": true}',X'FFD870696374757265',1.59096000061254017055e-04,1,NULL);
INSERT INTO "results" VALUES(2,'00000000000000000000000000000002',1781900002.0,'cookie','part-2','v1',2.0,2.5,'good','00000000000000000000000000000001',NULL,NULL,NULL,556,'{"score": 2.0, "plane_found": true}',X'FFD870696374757265',3.39200000098571763373e-04,1,NULL);
INSERT INTO "results" VALUES(3,'00000000000000000000000000000003',1781900003.0,'cookie','part-3','v1',3.0,2.5,'defective',NULL,'good',1782000000.0,'a reflection',557,'{"score": 3.0, "plane_found": false}',X'FFD870696374757265',4.21525000092515256255e-04,1,'key anna');
CREATE TABLE running (seconds REAL NOT NULL);
INSERT INTO "running" VALUES(0.0912833639999917);
CREATE INDEX results_by_product ON results (product, number);
CREATE INDEX results_by_part ON results (part_id) WHERE part_id IS NOT NULL;
CREATE INDEX results_by_verdict ON results (verdict) WHERE verdict IS NOT NULL;
CREATE INDEX requests_by_result ON requests (result);
CREATE INDEX results_by_age ON results (ran) WHERE verdict IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('results',3);
COMMIT;
PRAGMA user_version = 4;
