BEGIN TRANSACTION;
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, action TEXT NOT NULL, who TEXT NOT NULL,
    address TEXT NOT NULL, request_id TEXT, product TEXT, bank_version TEXT, subject TEXT,
    before TEXT NOT NULL, after TEXT NOT NULL);
INSERT INTO "changes" VALUES(1,1782000000.0,'activate','key anna','10.0.0.7','r1','cookie','v2',NULL,'{"active": "v1"}','{"active": "v2"}');
CREATE INDEX changes_by_product ON changes (product, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',1);
COMMIT;
PRAGMA user_version = 1;
