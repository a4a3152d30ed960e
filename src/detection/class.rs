//! The classes of a model: names, indices, colours.

use super::DetectionError;

/// Most classes a model may have; a heatmap has one channel each.
const MAX_CLASSES: usize = 64;

/// The palette of Okabe and Ito (2008), told apart under the common forms of colour blindness; its
/// black is left out and its blue lightened because boxes are drawn on dark backgrounds.
const PALETTE: [[u8; 3]; 7] = [
    [86, 180, 233],
    [230, 159, 0],
    [0, 158, 115],
    [240, 228, 66],
    [204, 121, 167],
    [213, 94, 0],
    [74, 128, 240],
];

/// Class names in the order of the heatmap's channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassTable {
    names: Vec<String>,
}

impl ClassTable {
    /// A table of 1 to 64 distinct, non-empty names; the index of a name is its class id.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, DetectionError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let refuse = |found: String| Err(DetectionError::Classes { limit: MAX_CLASSES, found });
        if names.is_empty() || names.len() > MAX_CLASSES {
            return refuse(format!("{} names", names.len()));
        }
        for (index, name) in names.iter().enumerate() {
            if name.trim().is_empty() {
                return refuse(format!("an empty name at index {index}"));
            }
            if names.iter().take(index).any(|earlier| earlier == name) {
                return refuse(format!("'{name}' twice"));
            }
        }
        Ok(Self { names })
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Always false: a table has at least one class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names in the order of their ids.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The name of class `id`.
    pub fn name(&self, id: u16) -> Option<&str> {
        self.names.get(usize::from(id)).map(String::as_str)
    }

    /// The id of the class called `name`, exactly.
    pub fn id(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|known| known == name).and_then(|id| u16::try_from(id).ok())
    }

    /// The colour of class `id` in markers and pictures, sRGB; repeats after seven classes.
    pub fn colour(id: u16) -> [u8; 3] {
        PALETTE[usize::from(id) % PALETTE.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_inverse() {
        let table = ClassTable::new(["car", "truck", "pedestrian"]).unwrap();
        for (id, name) in table.names().enumerate() {
            assert_eq!(table.id(name), Some(id as u16));
            assert_eq!(table.name(id as u16), Some(name));
        }
        assert_eq!(table.len(), 3);
        assert_eq!(table.id("Car"), None);
        assert_eq!(table.name(3), None);
    }

    #[test]
    fn refuses_lists_that_would_confuse_ids() {
        assert!(ClassTable::new(Vec::<String>::new()).is_err());
        assert!(ClassTable::new(["car", " "]).is_err());
        assert!(ClassTable::new((0..65).map(|i| i.to_string())).is_err());
        let message = ClassTable::new(["car", "bus", "car"]).unwrap_err().to_string();
        assert!(message.contains("'car' twice"), "{message}");
    }

    #[test]
    fn seven_classes_have_seven_colours() {
        let colours: std::collections::HashSet<_> = (0..7).map(ClassTable::colour).collect();
        assert_eq!(colours.len(), 7);
        assert_eq!(ClassTable::colour(7), ClassTable::colour(0));
    }
}
