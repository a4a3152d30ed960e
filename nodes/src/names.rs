//! Node names and the patterns that parameter files address them with.

/// A node's name after remapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    /// Name without namespace
    pub name: String,
    /// Namespace with a leading `/`; `/` alone for none
    pub namespace: String,
}

impl NodeName {
    /// Name with namespace, `/robot/depth`.
    pub fn full(&self) -> String {
        format!("{}/{}", self.namespace.trim_end_matches('/'), self.name)
    }

    /// The name that rcl gives the node's logger, `robot.depth`.
    pub fn logger(&self) -> String {
        self.full().trim_start_matches('/').replace('/', ".")
    }

    /// The absolute name of `topic` before remapping. Takes absolute, relative and private (`~/x`) names.
    pub fn expand(&self, topic: &str) -> String {
        if topic.starts_with('/') {
            topic.to_owned()
        } else if let Some(private) = topic.strip_prefix("~/") {
            format!("{}/{private}", self.full())
        } else {
            format!("{}/{topic}", self.namespace.trim_end_matches('/'))
        }
    }

    /// Whether a parameter file's `pattern` speaks to this node: `*` stands for one part of the name,
    /// `**` for any number; a pattern of one part without `/` is the name in any namespace.
    pub fn matches(&self, pattern: &str) -> bool {
        if !pattern.contains('/') && pattern != "**" {
            return pattern == self.name || pattern == "*";
        }
        let full = self.full();
        let parts: Vec<&str> = full.split('/').skip(1).collect();
        let pattern: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
        matches_parts(&pattern, &parts)
    }
}

fn matches_parts(pattern: &[&str], parts: &[&str]) -> bool {
    match (pattern, parts) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            matches_parts(rest, parts) || (!parts.is_empty() && matches_parts(pattern, &parts[1..]))
        }
        (["*", rest @ ..], [_, others @ ..]) => matches_parts(rest, others),
        ([first, rest @ ..], [part, others @ ..]) => first == part && matches_parts(rest, others),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::NodeName;

    fn node(namespace: &str) -> NodeName {
        NodeName { name: "depth".into(), namespace: namespace.into() }
    }

    #[test]
    fn patterns_of_parameter_files() {
        for pattern in ["/**", "**", "/**/depth", "/depth", "depth", "/*", "*"] {
            assert!(node("/").matches(pattern), "{pattern}");
        }
        for pattern in ["/**", "/**/depth", "/robot/depth", "depth", "/*/depth", "/robot/*"] {
            assert!(node("/robot").matches(pattern), "{pattern}");
        }
        for pattern in ["/depth", "/robot", "/**/detection", "detection", "/*", "/a/robot/depth", ""] {
            assert!(!node("/robot").matches(pattern), "{pattern}");
        }
    }

    #[test]
    fn names_expand_like_rcl() {
        assert_eq!(node("/").full(), "/depth");
        assert_eq!(node("/robot").logger(), "robot.depth");
        assert_eq!(node("/robot").expand("lidar/points"), "/robot/lidar/points");
        assert_eq!(node("/").expand("lidar/points"), "/lidar/points");
        assert_eq!(node("/robot").expand("~/debug"), "/robot/depth/debug");
        assert_eq!(node("/robot").expand("/tf"), "/tf");
    }
}
