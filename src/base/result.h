// Errors as values. An Error is a message with a chain of context, outermost first:
// "reading nodepool.yaml: spec.limits: not a quantity: \"4x\"". A Result<T> is a T or an Error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace windlass {

class Error {
 public:
  explicit Error(std::string message) : message_(std::move(message)) {}

  // The same error, one step further out: "context: message".
  [[nodiscard]] Error in(std::string_view context) const {
    return Error(std::string(context) + ": " + message_);
  }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(held_); }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] const T& value() const& {
    WL_ASSERT(ok());
    return std::get<T>(held_);
  }
  [[nodiscard]] T& value() & {
    WL_ASSERT(ok());
    return std::get<T>(held_);
  }
  [[nodiscard]] T&& value() && {
    WL_ASSERT(ok());
    return std::get<T>(std::move(held_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  [[nodiscard]] const Error& error() const {
    WL_ASSERT(!ok());
    return std::get<Error>(held_);
  }

 private:
  std::variant<T, Error> held_;
};

// What a function returns that yields nothing but may fail.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const {
    WL_ASSERT(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace windlass
