//! What JavaScript sees of `procref-locks`: plain functions, a lock is an integer. Nothing is decided here.
