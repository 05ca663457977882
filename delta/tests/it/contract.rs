//! The contract of a table: the same functions on every store.

mod columns;
mod upkeep;
mod writers;

pub(crate) use columns::all_types;

/// Runs each promise on each store.
macro_rules! promises {
    ($($module:ident::$name:ident,)*) => {
        promises!(@on memory: $($module::$name,)*);
        promises!(@on folder: $($module::$name,)*);
        promises!(@on bucket: $($module::$name,)*);
    };
    (@on $place:ident: $($module:ident::$name:ident,)*) => {
        mod $place { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = crate::place::$place() {
                    super::$module::$name(&place.lake).await;
                }
            }
        )* }
    };
}

promises! {
    writers::a_place_that_can_be_written_passes_its_check,
    writers::a_table_is_created_once,
    writers::what_is_not_there_is_none,
    writers::two_writers_of_the_same_rows_leave_them_once,
    writers::racing_writers_of_different_rows_lose_nothing,
    writers::racing_writers_of_the_same_rows_double_nothing,
    writers::a_reader_sees_whole_commits,
    writers::a_checkpoint_stands_for_the_log_before_it,
    writers::a_large_file_goes_up_in_parts,
    writers::a_crash_between_upload_and_commit_leaves_no_row,
    writers::what_is_damaged_is_named,
    columns::all_types_come_back,
    columns::strange_partition_values_come_back,
    columns::new_columns_are_null_in_old_rows,
    columns::what_does_not_fit_is_named,
    columns::rows_that_are_not_the_tables_are_refused,
    columns::a_newer_table_is_refused,
    columns::other_partitioning_is_refused,
    upkeep::compaction_keeps_every_row,
    upkeep::compaction_beside_writers_loses_nothing,
    upkeep::who_replaces_a_file_first_wins,
    upkeep::vacuum_removes_only_what_nobody_needs,
    upkeep::a_late_writer_finds_a_cleaned_log,
    upkeep::a_log_without_its_pointer_is_read,
    upkeep::a_short_retention_asks_for_a_word,
}
