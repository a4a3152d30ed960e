//! What a kernel refuses.

/// One sentence each: which tensor, what was expected, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// A tensor or a setting that is not what the others imply.
    #[error("{name}: expected {expected}, found {found}")]
    Unexpected {
        /// The tensor or setting.
        name: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The processor lacks the instructions of a kernel that was named.
    #[error("kernel {kernel}: expected a processor with its instructions, found one without")]
    KernelUnavailable {
        /// The kernel.
        kernel: &'static str,
    },
    /// The threads that should do the work could not be used.
    #[error("the threads of the session could not be used: {reason}")]
    Threads {
        /// What their owner said.
        reason: String,
    },
}

impl KernelError {
    /// A tensor or setting `name` that is not what it should be.
    #[allow(clippy::needless_pass_by_value, reason = "numbers mostly, which a reference makes no cheaper")]
    pub(crate) fn unexpected(name: &'static str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Unexpected { name, expected: expected.into(), found: found.to_string() }
    }

    /// Checks a length.
    pub(crate) fn check_len(name: &'static str, expected: usize, found: usize) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::unexpected(name, format!("{expected} values"), found))
    }
}
