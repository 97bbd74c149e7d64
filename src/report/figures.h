// Numbers as people read them in the results: dollars, counts, latencies, times of the run. One
// place, so that the table, the page and the axes of its charts never disagree about a unit. NaN
// and infinity print as "-" everywhere. No locale plays a part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace windlass::report {

// What a series or an axis measures; decides how its numbers are written.
enum class Unit { kCount, kPerSecond, kMillis, kSeconds, kFraction, kUsd };

// "1,234,567".
std::string count_text(uint64_t value);
// "$1,234.56".
std::string dollars(double usd);
// A fixed number of decimals with thousands separators: "1,234.5".
std::string decimal(double value, int decimals);
// A share 0..1 as "93.4 %". Not rounded up to 100 % while anything is missing.
std::string percent(double share);
// A relative change in percent with its sign: "-34.0 %", "+5.2 %".
std::string signed_percent(double percent_value);
// Milliseconds in the unit that reads best, three significant digits: "8.40 ms", "1.84 s".
std::string millis_text(double ms);
// Milliseconds somebody set rather than measured: no more digits than were given, "2 s", "750 ms".
std::string limit_text(double ms);
// Seconds: "8.4 s" below ten, else "148 s"; the clocks are compared, so no minutes.
std::string seconds_text(double s);
// Two such beside each other: "52 / 88 s".
std::string seconds_pair(double low, double high);
// A length of time, whole seconds: "3h12m", "45s".
std::string length_text(double s);
// A point in the run as hours:minutes since its start, "26:05"; "-" for a negative one (never).
std::string clock_text(double since_start_s);
// The same with seconds, "0:00:30", for axes of runs that last minutes.
std::string clock_text_seconds(double since_start_s);

// A tick's label on an axis whose ticks are `step` apart ("1.5k", "250 ms", "0:30"). A log axis
// gives the tick itself as the step.
std::string axis_label(Unit unit, double value, double step);

// (value / baseline - 1) in percent; NaN where the baseline is not a positive number.
double change_percent(double value, double baseline);

// A name as one line of harmless text: control characters become spaces, bytes that are no UTF-8
// become U+FFFD. Scenario and policy names come from files a user was given.
std::string printable(std::string_view text);

// At most `most` characters of UTF-8 text, the last an ellipsis where any were left out.
std::string shortened(std::string_view text, size_t most);

// The characters of UTF-8 text, as far as a terminal's columns go.
size_t code_points(std::string_view text);

}  // namespace windlass::report
