//! Every bound a message is held to, with its unit.

/// Bytes of one file. A batch of 8,190 credit transfers of 2 KB each fits.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Elements open at once. The deepest supported message nests about 15; the rest is for foreign
/// content in `SplmtryData` and for the envelope. libxml2 draws the same line.
pub const DEPTH_MAX: usize = 257;

/// Attributes of one element, namespace declarations included. Envelopes in use declare a
/// namespace for each message they may hold, dozens at once.
pub const ATTRIBUTES_MAX: usize = 256;

/// Namespace declarations in scope at once.
pub const NAMESPACES_MAX: usize = 256;

/// Bytes of one element's text. libxml2 draws the same line.
pub const TEXT_BYTES_MAX: usize = 10_000_000;

/// Bytes of one element or attribute name.
pub const NAME_BYTES_MAX: usize = 1_000;

/// Parts (headers and documents) of one file.
pub const PARTS_MAX: usize = 1_024;

/// Violations kept for one part; the verdict and the report's count know of all.
pub const VIOLATIONS_PART_MAX: usize = 50;

/// Violations kept for one file.
pub const VIOLATIONS_FILE_MAX: usize = 1_000;
