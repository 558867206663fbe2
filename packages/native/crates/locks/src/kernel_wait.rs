//! kernel_wait
