// SQLite's C API, and what of it Swift does not import: functions with variable arguments, and macros that cast.
#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/// Leaves the log as it is when the last connection closes (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE).
static inline int csqlite_keep_log_on_close(sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/// Holds rows to their foreign keys, as PRAGMA foreign_keys=ON does, without a statement.
static inline int csqlite_enforce_foreign_keys(sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FKEY, 1, (int *)0);
}

/// Sets the connection's memory for small objects: `count` pieces of `size` bytes, 0 for none.
static inline int csqlite_set_lookaside(sqlite3 *connection, int size, int count) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_LOOKASIDE, (void *)0, size, count);
}

/// Reads the first bytes of the main file as they lie there: without a lock, a log or a side file, and without opening
/// the file a second time, because closing that would end this process's locks on it (fcntl(2)).
static inline int csqlite_read_head(sqlite3 *connection, void *buffer, int size) {
  sqlite3_file *file = 0;
  int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return code;
  code = file->pMethods->xRead(file, buffer, size, 0);
  // What is missing at the end was filled with zeros.
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

/// Binds a copy of some text.
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int size) {
  return sqlite3_bind_text(statement, index, text ? text : "", size, SQLITE_TRANSIENT);
}

/// Binds a copy of some bytes; none of them are an empty value, not NULL.
static inline int csqlite_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, int size) {
  return sqlite3_bind_blob(statement, index, bytes ? bytes : "", size, SQLITE_TRANSIENT);
}

#endif
