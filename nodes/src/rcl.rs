//! Small safe helpers around rcl's C interface.

use std::ffi::{CStr, c_char};

use r2r_rcl::{
    rcl_allocator_t, rcutils_get_default_allocator, rcutils_get_error_string, rcutils_reset_error,
};

/// rcl's default allocator.
pub fn allocator() -> rcl_allocator_t {
    // SAFETY: returns a plain struct of function pointers.
    unsafe { rcutils_get_default_allocator() }
}

/// The text of a C string, empty for null; bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string that stays valid during the call.
pub unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the contract of this function.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Takes rcl's error message as one line, without the places in its sources.
pub fn take_error() -> String {
    // SAFETY: returns a struct that holds its characters; they are NUL-terminated.
    let message = unsafe {
        let state = rcutils_get_error_string();
        let message = text((&raw const state.str_).cast());
        rcutils_reset_error();
        message
    };
    without_places(&message)
}

/// rcl's messages are several lines when one error led to another, each with the place in the sources.
fn without_places(message: &str) -> String {
    let lines = message.lines().map(|line| line.split(", at ").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The middleware in use, as `rmw_fastrtps_cpp`.
pub fn middleware() -> String {
    // SAFETY: returns a static string.
    unsafe { text(r2r_rcl::rmw_get_implementation_identifier()) }
}

#[cfg(test)]
mod tests {
    use super::without_places;

    #[test]
    fn messages_become_one_line() {
        let message =
            "Got:\n    no library, at /src/a.c:99, at /src/b.hpp:81\n\nwhile fetching, at ./src/c.c:1";
        assert_eq!(without_places(message), "Got:; no library; while fetching");
        assert_eq!(without_places("topic name is invalid"), "topic name is invalid");
    }
}
