// Private to this room: a stream of bytes cut into lines, with a bound on their length. Lines that
// lie whole in one piece are passed on without a copy.
#pragma once

#include <string>
#include <string_view>

namespace windlass::live::kube {

class LineSplitter {
 public:
  explicit LineSplitter(size_t longest) : longest_(longest) {}

  // Calls `take` (bool of a line) for each line that is whole now; empty ones are left out. Stops
  // when it says false. False: a line is too long.
  template <typename Take>
  bool feed(std::string_view bytes, const Take& take) {
    for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      if (rest_.size() + end > longest_) return false;
      std::string joined;
      std::string_view line = bytes.substr(0, end);
      if (!rest_.empty()) {
        joined = std::move(rest_);
        rest_.clear();
        line = joined.append(line);
      }
      bytes.remove_prefix(end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty() && !take(line)) return true;
    }
    if (rest_.size() + bytes.size() > longest_) return false;
    rest_ += bytes;
    return true;
  }
  // What came after the last line's end.
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  size_t longest_;
  std::string rest_;
};

}  // namespace windlass::live::kube
