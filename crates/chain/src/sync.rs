//! State sync.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
