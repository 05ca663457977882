//! What cleaning makes of each kind of dirt.

use super::support::check;
use serde_json::json;

macro_rules! expected {
    (quality [$($flag:ident),*]) => { json!([$(stringify!($flag)),*]) };
    ($field:ident $value:tt) => { json!($value) };
}

macro_rules! cleans {
    ($name:ident, $($column:ident = $found:expr),* => $($field:ident = $expected:tt),* $(,)?) => {
        #[test]
        fn $name() {
            let changes: &[(&str, &[u8])] = &[$((stringify!($column), AsRef::<[u8]>::as_ref($found))),*];
            check(changes, &[$((stringify!($field), expected!($field $expected))),*]);
        }
    };
}

// Nothing to repair.
cleans!(a_clean_row, => occurred_at = "1949-10-10T20:30:00", posted_on = "2004-04-27", city = "san marcos", city_note = null,
    state = "tx", country = "us", country_source = "given", country_given = "us", shape = "cylinder", duration_ms = 2700000,
    duration_text = "45 minutes", comments = "It flew.", location = {"lat": 29.8830556, "lon": -97.9411111}, season = "autumn");

// datetime, date posted
cleans!(hour_24_is_next_day, datetime = "10/10/1949 24:00" => occurred_at = "1949-10-11T00:00:00", quality = [hour_24]);
cleans!(hour_24_moves_the_year, datetime = "12/31/1999 24:00" => occurred_at = "2000-01-01T00:00:00", season = "winter", quality = [hour_24]);
cleans!(iso_date, datetime = "1949-10-10T20:30:00" => occurred_at = "1949-10-10T20:30:00");
cleans!(iso_date_with_a_blank, datetime = "1949-10-10 20:30:00" => occurred_at = "1949-10-10T20:30:00");
cleans!(date_without_a_time_is_its_start, datetime = "10/10/1949" => occurred_at = "1949-10-10T00:00:00");
cleans!(blanks_around_the_datetime, datetime = "\u{a0}10/10/1949 20:30 " => occurred_at = "1949-10-10T20:30:00");
cleans!(posted_is_no_date, date_posted = "yesterday" => posted_on = null);
cleans!(posted_with_two_digit_year, date_posted = "4/27/04" => posted_on = null);
cleans!(posted_iso, date_posted = "2004-04-27" => posted_on = "2004-04-27");
cleans!(posted_before_occurred, date_posted = "10/9/1949" => posted_on = "1949-10-09", quality = [posted_before_occurred]);
cleans!(posted_on_the_day, date_posted = "10/10/1949" => posted_on = "1949-10-10");
cleans!(posted_on_the_day_as_written_before_24, datetime = "10/10/1949 24:00", date_posted = "10/10/1949" => quality = [hour_24]);

cleans!(hour_24_moves_the_season, datetime = "11/30/1999 24:00" => season = "winter", quality = [hour_24]);

// city
cleans!(city_with_entity_and_note, city = "st. john&#39s (canada)" => city = "st. john's (canada)", city_note = "canada");
cleans!(city_with_comma, city = "jefferson&#44 township" => city = "jefferson, township");
cleans!(city_note_not_closed, city = "x (south korea" => city = "x (south korea", city_note = "south korea");
cleans!(city_last_note_counts, city = "x (downtown) (near)" => city_note = "near");
cleans!(city_blanks_and_case, city = "  New \u{a0} York  City " => city = "new york city");
cleans!(city_empty, city = " \u{3000} " => city = null, city_note = null);
cleans!(city_of_entities_only, city = "&nbsp;" => city = null);
cleans!(city_named_entity, city = "montr&eacute;al" => city = "montréal");

// state
cleans!(state_upper_case, state = " TX " => state = "tx");
cleans!(state_empty, state = "" => state = null);

// country
cleans!(country_from_note, country = "", city = "seoul (south korea)", state = "" => country = "kr", country_source = "city_note", country_given = "", quality = [country_inferred]);
cleans!(country_from_uk_note, country = "", city = "london (uk/england)", state = "" => country = "gb", country_source = "city_note", quality = [country_inferred]);
cleans!(country_from_wales, country = "", city = "swansea (uk/wales)", state = "" => country = "gb", country_source = "city_note", quality = [country_inferred]);
cleans!(country_new_zealand, country = "", city = "x (new zealand)", state = "" => country = "nz", country_source = "city_note", quality = [country_inferred]);
cleans!(country_own_spelling, country = "", city = "x (natherlands)", state = "" => country = "nl", country_source = "city_note", quality = [country_inferred]);
cleans!(country_guatamala, country = "", city = "x (guatamala)", state = "" => country = "gt", country_source = "city_note", quality = [country_inferred]);
cleans!(country_of_the_past, country = "", city = "x (west germany)", state = "" => country = "de", country_source = "city_note", quality = [country_inferred]);
cleans!(country_note_co_is_no_colombia, country = "", city = "st. louis (co)", state = "mo" => country = "us", country_source = "state", quality = [country_inferred]);
cleans!(country_note_il_is_no_israel, country = "", city = "x (il)", state = "" => country = "us", country_source = "coordinates", quality = [country_inferred]);
cleans!(country_georgia_in_ga, country = "", city = "in-flight (georgia)", state = "ga" => country = "us", country_source = "city_note", quality = [country_inferred]);
cleans!(country_georgia, country = "", city = "tbilisi (georgia)", state = "" => country = "ge", country_source = "city_note", quality = [country_inferred]);
cleans!(country_near_says_nothing, country = "", city = "x (near switzerland)", state = "", latitude = "45.46", longitude = "9.19" => country = "it", country_source = "coordinates", quality = [country_inferred]);
cleans!(country_note_before_state, country = "", city = "tijuana (mexico)", state = "ca" => country = "mx", country_source = "city_note", quality = [country_inferred]);
cleans!(country_from_us_state, country = "", state = "TX" => country = "us", country_source = "state", quality = [country_inferred]);
cleans!(country_from_province, country = "", state = "on" => country = "ca", country_source = "state", quality = [country_inferred]);
cleans!(country_from_coordinates, country = "", state = "", latitude = "-33.87", longitude = "151.21" => country = "au", country_source = "coordinates", season = "spring", quality = [country_inferred]);
cleans!(country_at_sea, country = "", state = "", latitude = "35.7", longitude = "-39.4" => country = null, country_source = "unknown");
cleans!(country_without_a_clue, country = "", state = "", latitude = "", longitude = "" => country = null, country_source = "unknown", season = null, quality = [location_missing]);
cleans!(country_upper_case, country = " US" => country = "us", country_source = "given", country_given = " US");
cleans!(country_no_code, country = "xx" => country = "us", country_source = "state", country_given = "xx", quality = [country_inferred]);
cleans!(country_given_wins, country = "gb", city = "x (canada)" => country = "gb", country_source = "given");

// shape
cleans!(shape_changed, shape = "changed" => shape = "changing");
cleans!(shape_empty, shape = "" => shape = "unknown");
cleans!(shape_new_label, shape = "Tic  Tac" => shape = "tic tac");
cleans!(shape_entity, shape = "v&amp;w" => shape = "v&w");

// duration (seconds)
cleans!(seconds_decimal, duration_seconds = "0.5" => duration_ms = 500);
cleans!(seconds_without_zero, duration_seconds = ".5" => duration_ms = 500);
cleans!(seconds_half_up, duration_seconds = "0.0005" => duration_ms = 1);
cleans!(seconds_grouped, duration_seconds = "1,200" => duration_ms = 1200000);
cleans!(seconds_backtick, duration_seconds = "2`" => duration_ms = 2000, quality = [duration_repaired]);
cleans!(seconds_backtick_decimal, duration_seconds = "0.5`" => duration_ms = 500, quality = [duration_repaired]);
cleans!(seconds_seven_days, duration_seconds = "604800" => duration_ms = 604800000);
cleans!(seconds_implausible, duration_seconds = "97836000" => duration_ms = 97836000000_u64, quality = [duration_implausible]);
cleans!(seconds_negative, duration_seconds = "-5" => duration_ms = null, quality = [duration_missing]);
cleans!(seconds_thousand_years, duration_seconds = "31556952001" => duration_ms = null, quality = [duration_missing]);

// duration (hours/min)
cleans!(text_minutes, duration_seconds = "" => duration_ms = 2700000, quality = [duration_from_text]);
cleans!(text_range, duration_seconds = "", duration_text = "1-2 hrs" => duration_ms = 5400000, quality = [duration_from_text]);
cleans!(text_glued, duration_seconds = "?", duration_text = "about5seconds" => duration_ms = 5000, quality = [duration_from_text]);
cleans!(text_words, duration_seconds = "", duration_text = "six to seven seconds" => duration_ms = 6500, quality = [duration_from_text]);
cleans!(text_plus, duration_seconds = "", duration_text = "30 min +" => duration_ms = 1800000, quality = [duration_from_text]);
cleans!(text_misspelled, duration_seconds = "", duration_text = "10 minuts" => duration_ms = 600000, quality = [duration_from_text]);
cleans!(text_fraction, duration_seconds = "", duration_text = "1/2 hour" => duration_ms = 1800000, quality = [duration_from_text]);
cleans!(text_parts, duration_seconds = "", duration_text = "1 hr 30 min" => duration_ms = 5400000, quality = [duration_from_text]);
cleans!(text_range_of_units, duration_seconds = "", duration_text = "30 sec to 1 min" => duration_ms = 45000, quality = [duration_from_text]);
cleans!(text_article, duration_seconds = "", duration_text = "an hour" => duration_ms = 3600000, quality = [duration_from_text]);
cleans!(text_couple, duration_seconds = "", duration_text = "a couple of minutes" => duration_ms = 120000, quality = [duration_from_text]);
cleans!(text_ninety, duration_seconds = "", duration_text = "ninety-five seconds" => duration_ms = 95000, quality = [duration_from_text]);
cleans!(text_implausible, duration_seconds = "", duration_text = "2 weeks" => duration_ms = 1209600000, quality = [duration_from_text, duration_implausible]);
cleans!(text_no_unit, duration_seconds = "", duration_text = "5" => duration_ms = null, quality = [duration_missing]);
cleans!(text_few, duration_seconds = "", duration_text = "a few seconds" => duration_ms = null, quality = [duration_missing]);
cleans!(text_several, duration_seconds = "", duration_text = "several minutes" => duration_ms = null, quality = [duration_missing]);
cleans!(text_clock, duration_seconds = "", duration_text = "1:30" => duration_ms = null, quality = [duration_missing]);
cleans!(text_empty, duration_seconds = "", duration_text = "" => duration_ms = null, duration_text = "", quality = [duration_missing]);
cleans!(text_entities, duration_text = "2 &amp; 1/2 min&#44 &quot;maybe&quot;" => duration_text = "2 & 1/2 min, \"maybe\"");

// comments
cleans!(comments_comma, comments = "here&#44 there" => comments = "here, there");
cleans!(comments_digits_follow, comments = "50&#44000 feet" => comments = "50,000 feet");
cleans!(comments_apostrophe, comments = "it&#39s &quot;odd&quot;&#33" => comments = "it's \"odd\"!");
cleans!(comments_with_semicolon, comments = "&#8230; &#x2026; &hellip; &AMP;" => comments = "… … … &");
cleans!(comments_twice_encoded, comments = "&amp;quot;hm&amp;quot; &amp;#8217;" => comments = "\"hm\" ’");
cleans!(comments_cut_in_an_entity, comments = "it was &#4" => comments = "it was &#4");
cleans!(comments_no_entity, comments = "AT&T &nosuch; R&D &eacute" => comments = "AT&T &nosuch; R&D &eacute");
cleans!(comments_blanks_as_found, comments = "  Two  BLANKS\n " => comments = "  Two  BLANKS\n ");
cleans!(comments_empty, comments = "" => comments = "");

// latitude, longitude
cleans!(location_stray_letter, latitude = "33q.200088" => location = {"lat": 33.200088, "lon": -97.9411111}, quality = [location_repaired]);
cleans!(location_without_zeros, latitude = "-.589724", longitude = ".583333" => location = {"lat": -0.589724, "lon": 0.583333}, season = "spring");
cleans!(location_zero_zero, latitude = "0", longitude = "0" => location = null, season = null, quality = [location_missing]);
cleans!(location_on_the_equator_is_north, datetime = "7/1/2000 12:00", latitude = "0", longitude = "-78.5" => location = {"lat": 0.0, "lon": -78.5}, season = "summer");
cleans!(location_out_of_range, latitude = "91" => location = null, quality = [location_missing]);
cleans!(location_empty, longitude = "" => location = null, quality = [location_missing]);
cleans!(location_hemisphere_letter, longitude = "97.94W" => location = null, quality = [location_missing]);

// season
cleans!(july_is_winter_in_the_south, datetime = "7/1/2000 12:00", country = "au", latitude = "-33.87", longitude = "151.21" => season = "winter");
cleans!(december_is_winter_in_the_north, datetime = "12/1/1999 12:00" => season = "winter");

// encoding
cleans!(windows_1252, comments = b"it\x92s \xe9" => comments = "it’s é", quality = [encoding_repaired]);
cleans!(utf_8_is_no_repair, comments = "it’s é" => comments = "it’s é");
cleans!(windows_1252_city, city = b"montr\xe9al" => city = "montréal", quality = [encoding_repaired]);

// all at once, sorted
cleans!(flags_are_sorted, datetime = "10/10/1949 24:00", country = "", duration_seconds = "", duration_text = "9 days", latitude = "0", longitude = "0", date_posted = "1/1/1949", comments = b"\xff" =>
    quality = [country_inferred, duration_from_text, duration_implausible, encoding_repaired, hour_24, location_missing, posted_before_occurred]);
