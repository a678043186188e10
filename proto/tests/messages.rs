//! Messages that no honest peer would send: each is read or refused, and none does harm.

use proptest::prelude::*;
use prost::Message;
use wharf_proto::goplugin::{ConnInfo, StdioData};
use wharf_proto::v1::{CheckResponse, DescribeResponse, Event, QueryUnitsRequest};

/// Reads bytes as everything that the other side may send at length.
fn read(bytes: &[u8]) -> [Result<(), prost::DecodeError>; 6] {
    [
        Event::decode(bytes).map(drop),
        DescribeResponse::decode(bytes).map(drop),
        CheckResponse::decode(bytes).map(drop),
        QueryUnitsRequest::decode(bytes).map(drop),
        ConnInfo::decode(bytes).map(drop),
        StdioData::decode(bytes).map(drop),
    ]
}

// F32
#[test]
fn unknown_fields_are_passed_over_and_nesting_without_end_is_refused() {
    // Field 1,000, a varint, and field 1,001, bytes.
    let unknown = [0xc0, 0x3e, 0x05, 0xca, 0x3e, 0x02, 0xff, 0xfe];
    assert!(read(&unknown).iter().all(Result::is_ok));
    // Groups of field 1,000, one in the other.
    let mut deep = [0xc3, 0x3e].repeat(10_000);
    deep.extend([0xc4, 0x3e].repeat(10_000));
    assert!(read(&deep).iter().all(Result::is_err));
}

// F32
#[test]
fn texts_that_are_no_text_and_lengths_that_lie_are_refused() {
    let name = DescribeResponse { name: "good".to_owned(), ..DescribeResponse::default() };
    let mut bytes = name.encode_to_vec();
    let place = bytes.iter().position(|byte| *byte == b'g').unwrap();
    bytes[place] = 0xff;
    assert!(DescribeResponse::decode(&*bytes).is_err());
    // Four gigabytes of a known field and of an unknown one.
    for tag in [&[0x0a][..], &[0xca, 0x3e]] {
        let lie = [tag, &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert!(read(&lie).iter().all(Result::is_err));
    }
}

proptest! {
    // F32
    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let answers = read(&bytes);
        prop_assert!(!bytes.is_empty() || answers.iter().all(Result::is_ok));
    }
}
