//! `silver/sightings`: typed columns, partitioned by the year of occurrence.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{
    Date32Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
    UInt32Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::take::take_record_batch;
use delta::file_schema;
use domain::{Country, Location, Season, wire};
use engine::record::Record;

use super::{Rows, Year, long};
use crate::lake::path::YEAR;
use crate::lake::schema;

pub(crate) struct SightingRows {
    id: StringBuilder,
    occurred_at: TimestampMicrosecondBuilder,
    posted_on: Date32Builder,
    city: StringBuilder,
    city_note: StringBuilder,
    state: StringBuilder,
    country: StringBuilder,
    country_source: StringBuilder,
    country_given: StringBuilder,
    shape: StringBuilder,
    duration_ms: Int64Builder,
    duration_text: StringBuilder,
    comments: StringBuilder,
    latitude: Float64Builder,
    longitude: Float64Builder,
    season: StringBuilder,
    quality: ListBuilder<StringBuilder>,
    years: BTreeMap<i32, UInt32Builder>,
    rows: usize,
}

impl Default for SightingRows {
    fn default() -> Self {
        Self {
            id: StringBuilder::new(),
            occurred_at: TimestampMicrosecondBuilder::new(),
            posted_on: Date32Builder::new(),
            city: StringBuilder::new(),
            city_note: StringBuilder::new(),
            state: StringBuilder::new(),
            country: StringBuilder::new(),
            country_source: StringBuilder::new(),
            country_given: StringBuilder::new(),
            shape: StringBuilder::new(),
            duration_ms: Int64Builder::new(),
            duration_text: StringBuilder::new(),
            comments: StringBuilder::new(),
            latitude: Float64Builder::new(),
            longitude: Float64Builder::new(),
            season: StringBuilder::new(),
            quality: ListBuilder::new(StringBuilder::new()).with_field(schema::flag()),
            years: BTreeMap::new(),
            rows: 0,
        }
    }
}

impl Rows for SightingRows {
    fn push(&mut self, _topic: &str, record: Record<'_>) -> bool {
        let Ok(sighting) = wire::decode_sighting(record.value.unwrap_or_default()) else { return false };
        self.id.append_value(str::from_utf8(&sighting.id.to_hex()).unwrap_or_default());
        self.occurred_at.append_value(sighting.occurred_at.seconds() * 1_000_000);
        self.posted_on.append_option(sighting.posted_on.map(domain::CivilDate::days));
        self.city.append_option(sighting.city);
        self.city_note.append_option(sighting.city_note);
        self.state.append_option(sighting.state);
        self.country.append_option(sighting.country.as_ref().map(Country::as_str));
        self.country_source.append_value(sighting.country_source.name());
        self.country_given.append_value(sighting.country_given);
        self.shape.append_value(sighting.shape);
        self.duration_ms.append_option(sighting.duration_ms.map(long));
        self.duration_text.append_value(sighting.duration_text);
        self.comments.append_value(sighting.comments);
        self.latitude.append_option(sighting.location.map(Location::lat));
        self.longitude.append_option(sighting.location.map(Location::lon));
        self.season.append_option(sighting.season.map(Season::name));
        for flag in sighting.quality.iter() {
            self.quality.values().append_value(flag.name());
        }
        self.quality.append(true);
        let row = u32::try_from(self.rows).unwrap_or(u32::MAX);
        self.years.entry(sighting.occurred_at.year()).or_default().append_value(row);
        self.rows += 1;
        true
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<(Year, RecordBatch)>, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.occurred_at.finish().with_timezone("UTC")),
            Arc::new(self.posted_on.finish()),
            Arc::new(self.city.finish()),
            Arc::new(self.city_note.finish()),
            Arc::new(self.state.finish()),
            Arc::new(self.country.finish()),
            Arc::new(self.country_source.finish()),
            Arc::new(self.country_given.finish()),
            Arc::new(self.shape.finish()),
            Arc::new(self.duration_ms.finish()),
            Arc::new(self.duration_text.finish()),
            Arc::new(self.comments.finish()),
            Arc::new(self.latitude.finish()),
            Arc::new(self.longitude.finish()),
            Arc::new(self.season.finish()),
            Arc::new(self.quality.finish()),
        ];
        let all = RecordBatch::try_new(file_schema(&schema::sightings(), &[YEAR]), columns)?;
        let years = std::mem::take(&mut self.years);
        years
            .into_iter()
            .map(|(year, mut rows)| Ok((Some(year), take_record_batch(&all, &rows.finish())?)))
            .collect()
    }
}
