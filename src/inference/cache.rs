//! The folder for what is kept between runs.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// `${XDG_CACHE_HOME:-~/.cache}/isobath`, which need not exist yet; none without a home.
pub fn cache_folder() -> Option<PathBuf> {
    folder_of(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))
}

/// A relative `XDG_CACHE_HOME` is to be ignored, says the XDG base directory specification 0.8.
fn folder_of(cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    cache_home
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(".cache")))
        .map(|root| root.join("isobath"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_cache_home_wins() {
        let folder = |cache: Option<&str>, home: Option<&str>| {
            folder_of(cache.map(OsString::from), home.map(OsString::from))
        };
        assert_eq!(folder(Some("/c"), Some("/h")), Some(PathBuf::from("/c/isobath")));
        for ignored in [None, Some(""), Some("relative")] {
            assert_eq!(folder(ignored, Some("/h")), Some(PathBuf::from("/h/.cache/isobath")));
            assert_eq!(folder(ignored, None), None);
        }
    }
}
