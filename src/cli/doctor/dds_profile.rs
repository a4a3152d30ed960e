//! The one thing of a Fast DDS profile that decides whether images arrive: its shared-memory segment.
//!
//! Reads the few elements needed by their names (Fast DDS manual, "XML profiles"), of any prefix-free file.

/// Bytes of the largest shared-memory segment that participants get from `xml`; `None` when it sets none.
///
/// The transport must be used by some participant: one that is only described has no effect.
pub(super) fn shared_memory_segment(xml: &str) -> Option<u64> {
    let xml = without_comments(xml);
    let used: Vec<&str> = elements(&xml, "userTransports")
        .flat_map(|transports| elements(transports, "transport_id"))
        .map(str::trim)
        .collect();
    elements(&xml, "transport_descriptor")
        .filter(|transport| first(transport, "type").is_some_and(|kind| kind.trim() == "SHM"))
        .filter(|transport| first(transport, "transport_id").is_some_and(|id| used.contains(&id.trim())))
        .filter_map(|transport| first(transport, "segment_size")?.trim().parse().ok())
        .max()
}

fn first<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).next()
}

/// Contents of the elements called exactly `name`, which do not nest in themselves here.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let close = format!("</{name}>");
    let open = format!("<{name}");
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(open.as_str())?;
            rest = after;
            // `<type` also begins `<types>`.
            if !after.starts_with(|c: char| c == '>' || c.is_whitespace()) {
                continue;
            }
            let (_, content) = after.split_once('>')?;
            let (content, behind) = content.split_once(close.as_str())?;
            rest = behind;
            return Some(content);
        }
    })
}

fn without_comments(xml: &str) -> String {
    let mut text = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, comment)) = rest.split_once("<!--") {
        text.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_shipped_profile_has_a_big_segment() {
        let shipped = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config/fastdds.xml"));
        assert_eq!(shared_memory_segment(shipped), Some(64 * MIB));
    }

    fn profile(kind: &str, used: &str) -> String {
        format!(
            "<dds><profiles><transport_descriptors><transport_descriptor><transport_id>a</transport_id>\
             <type>{kind}</type><segment_size> 1048576 </segment_size></transport_descriptor>\
             </transport_descriptors><participant><rtps><userTransports><transport_id>{used}</transport_id>\
             </userTransports></rtps></participant></profiles></dds>"
        )
    }

    #[test]
    fn only_a_used_shared_memory_transport_counts() {
        assert_eq!(shared_memory_segment(&profile("SHM", "a")), Some(MIB));
        assert_eq!(shared_memory_segment(&profile("UDPv4", "a")), None);
        assert_eq!(shared_memory_segment(&profile("SHM", "b")), None);
    }

    #[test]
    fn comments_do_not_count() {
        let commented = format!("<!-- {} -->", profile("SHM", "a"));
        assert_eq!(shared_memory_segment(&commented), None);
        assert_eq!(shared_memory_segment("<!-- cut off"), None);
    }

    #[test]
    fn anything_else_is_no_segment() {
        for text in ["", "<transport_descriptor>", "<types><type>SHM</type></types>", "segment_size 5"] {
            assert_eq!(shared_memory_segment(text), None, "{text}");
        }
    }
}
