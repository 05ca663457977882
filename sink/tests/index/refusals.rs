//! What the index does not take is kept beside it, and holds nothing up.

use sink::index::Kind;

use crate::server::{Pipeline, address, sighting};

#[test]
fn a_record_that_is_no_document_is_kept_with_its_bytes() {
    let Some(server) = address() else { return };
    let mut pipeline = Pipeline::start(&server);
    let odd = (0, b"odd".to_vec(), Some(b"{\"id\": 7}".to_vec()));
    pipeline.write(Kind::Sightings, &[sighting(1), odd.clone(), sighting(2)]);
    // Nothing but what is no document.
    pipeline.write(Kind::Rejects, &[odd]);
    let report = pipeline.run_until_end();
    assert_eq!((report.done, report.refused), (2, 2));
    for kind in [Kind::Sightings, Kind::Rejects] {
        assert_eq!(pipeline.committed(kind), pipeline.ends(kind));
    }
    let refused = std::fs::read_to_string(pipeline.refused_file()).unwrap();
    for line in refused.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["type"], &line["bytes"]), (&"unreadable_record".into(), &"eyJpZCI6IDd9".into()));
    }
    assert_eq!(refused.lines().count(), 2);
}
