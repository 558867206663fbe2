//! file_lock
