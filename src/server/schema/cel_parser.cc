// CEL's grammar by recursive descent. Names and functions are checked here, so that what the
// evaluator doesn't know is refused before any value is looked at.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "server/schema/cel_tree.h"

namespace windlass::server::schema::cel {
namespace {

constexpr int kMaxDepth = 120;
constexpr size_t kMaxRuleBytes = 64 << 10;

enum class TokenKind { kEnd, kName, kNumber, kText, kSymbol };
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // of kText the value, of the others what is written
};

// What may be called, with the number of arguments (a method's target is not counted).
struct Function {
  std::string_view name;
  bool method;
  size_t min_arguments, max_arguments;
};
constexpr Function kFunctions[] = {
    {"size", false, 1, 1},      {"int", false, 1, 1},        {"double", false, 1, 1},
    {"string", false, 1, 1},    {"bool", false, 1, 1},       {"dyn", false, 1, 1},
    {"duration", false, 1, 1},  {"timestamp", false, 1, 1},  {"size", true, 0, 0},
    {"startsWith", true, 1, 1}, {"endsWith", true, 1, 1},    {"contains", true, 1, 1},
    {"matches", true, 1, 1},    {"find", true, 1, 1},        {"findAll", true, 1, 1},
    {"lowerAscii", true, 0, 0}, {"upperAscii", true, 0, 0},  {"trim", true, 0, 0},
    {"split", true, 1, 2},      {"replace", true, 2, 2},     {"substring", true, 1, 2},
    {"indexOf", true, 1, 1},    {"lastIndexOf", true, 1, 1}, {"charAt", true, 1, 1},
    {"join", true, 0, 1},       {"sum", true, 0, 0},         {"min", true, 0, 0},
    {"max", true, 0, 0},        {"isSorted", true, 0, 0},
};
constexpr std::string_view kMacros[] = {"all", "exists", "exists_one", "filter", "map"};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Property names that CEL could not spell are escaped by Kubernetes: a__dash__b is a-b.
std::string unescape_name(std::string name) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
  constexpr std::string_view kReserved[] = {
      "true",     "false",   "null", "in",       "as",     "break",     "const",
      "continue", "else",    "for",  "var",      "import", "let",       "loop",
      "void",     "package", "if",   "function", "return", "namespace", "while"};
  for (std::string_view word : kReserved) {
    if (name == fmt::format("__{}__", word)) return std::string(word);
  }
  for (const auto& [escape, plain] : kEscapes) {
    for (size_t at = name.find(escape); at != name.npos;
         at = name.find(escape, at + plain.size())) {
      name.replace(at, escape.size(), plain);
    }
  }
  return name;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool next(Token& token) {
    skip_space();
    token = {};
    if (at_ >= text_.size()) return true;
    const char c = text_[at_];
    const size_t quote = is_raw_prefix() ? at_ + 1 : at_;
    if (text_[quote] == '"' || text_[quote] == '\'') return quoted(quote, token);
    if (is_name_start(c)) {
      token.kind = TokenKind::kName;
      while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) {
        token.text += text_[at_++];
      }
      return true;
    }
    if (is_digit(c)) return number(token);
    token.kind = TokenKind::kSymbol;
    for (std::string_view two : {"&&", "||", "==", "!=", "<=", ">="}) {
      if (text_.substr(at_).starts_with(two)) {
        token.text = two;
        at_ += 2;
        return true;
      }
    }
    token.text = c;
    ++at_;
    return std::string_view("!-+*/%<>?:.,()[]{}").find(c) != std::string_view::npos;
  }

 private:
  void skip_space() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
        ++at_;
      } else if (text_.substr(at_).starts_with("//")) {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        return;
      }
    }
  }
  bool is_raw_prefix() const {
    const bool raw = text_[at_] == 'r' || text_[at_] == 'R';
    return raw && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\'');
  }

  bool number(Token& token) {
    token.kind = TokenKind::kNumber;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool sign = (c == '+' || c == '-') && !token.text.empty() &&
                        (token.text.back() == 'e' || token.text.back() == 'E');
      const bool point = c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
      if (!is_digit(c) && !sign && !point && std::isalpha(static_cast<unsigned char>(c)) == 0)
        break;
      token.text += c;
      ++at_;
    }
    return true;
  }

  bool quoted(size_t quote, Token& token) {
    const bool raw = quote != at_;
    const char mark = text_[quote];
    const std::string triple(3, mark);
    const bool is_triple = text_.substr(quote).starts_with(triple);
    const std::string_view end = is_triple ? std::string_view(triple) : text_.substr(quote, 1);
    token.kind = TokenKind::kText;
    for (at_ = quote + end.size(); at_ < text_.size();) {
      if (text_.substr(at_).starts_with(end)) {
        at_ += end.size();
        return invalid_utf8_at(token.text) == token.text.npos;
      }
      if (text_[at_] == '\\' && !raw) {
        if (!escape(token.text)) return false;
      } else {
        token.text += text_[at_++];
      }
    }
    return false;
  }

  bool escape(std::string& out) {
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kNames = "abfnrtv\\?\"'`";
    constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\?\"'`";
    if (const size_t i = kNames.find(c); i != kNames.npos) {
      out += kValues[i];
      return true;
    }
    if (c != 'x' && c != 'X' && c != 'u') return false;  // octal and \U: nobody writes them
    const size_t digits = c == 'u' ? 4 : 2;
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      if (at_ >= text_.size() || std::isxdigit(static_cast<unsigned char>(text_[at_])) == 0) {
        return false;
      }
      const char d = static_cast<char>(std::tolower(text_[at_]));
      code = code * 16 + static_cast<uint32_t>(is_digit(d) ? d - '0' : d - 'a' + 10);
    }
    append_utf8(out, code);
    return true;
  }

  static void append_utf8(std::string& out, uint32_t code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

// The first problem stays in error_; from then on everything returns at once.
class Parser {
 public:
  explicit Parser(std::string_view rule) : lexer_(rule) { advance(); }

  Result<Program> program() {
    Program program;
    Node root = expression();
    if (error_.empty() && token_.kind != TokenKind::kEnd) fail("more behind the expression");
    if (!error_.empty()) return Error(error_);
    program.root = std::make_shared<const Node>(std::move(root));
    program.uses_old_self = uses_old_self_;
    return program;
  }

 private:
  void fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
    token_ = {};
  }
  void advance() {
    if (!error_.empty()) return;
    if (!lexer_.next(token_)) fail("a character or text that CEL doesn't have");
  }
  bool is(std::string_view symbol) const {
    return token_.kind == TokenKind::kSymbol && token_.text == symbol;
  }
  bool take(std::string_view symbol) {
    if (!is(symbol)) return false;
    advance();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take(symbol)) fail(fmt::format("\"{}\" is missing", symbol));
  }

  Node make(Op op, std::string text, std::vector<Node> children) {
    Node node;
    node.op = op;
    node.text = std::move(text);
    for (const Node& child : children) node.depth = std::max(node.depth, child.depth + 1);
    node.children = std::move(children);
    if (node.depth > kMaxDepth) fail("nested too deep");
    return node;
  }
  template <typename... Children>
  Node make_of(Op op, std::string text, Children... children) {
    std::vector<Node> list;
    list.reserve(sizeof...(children));
    (list.push_back(std::move(children)), ...);
    return make(op, std::move(text), std::move(list));
  }

  Node expression() {
    if (++open_ > kMaxDepth) fail("nested too deep");
    Node node = error_.empty() ? any_of() : Node{};
    if (take("?")) {
      Node yes = any_of();
      expect(":");
      Node no = expression();
      node = make_of(Op::kConditional, "", std::move(node), std::move(yes), std::move(no));
    }
    --open_;
    return node;
  }
  Node any_of() {
    Node node = all_of();
    while (take("||")) node = make_of(Op::kOr, "", std::move(node), all_of());
    return node;
  }
  Node all_of() {
    Node node = relation();
    while (take("&&")) node = make_of(Op::kAnd, "", std::move(node), relation());
    return node;
  }
  Node relation() {
    Node node = sum();
    for (;;) {
      const bool in = token_.kind == TokenKind::kName && token_.text == "in";
      const bool compares = is("<") || is("<=") || is(">") || is(">=") || is("==") || is("!=");
      if (!in && !compares) return node;
      std::string op = token_.text;
      advance();
      node = make_of(Op::kBinary, std::move(op), std::move(node), sum());
    }
  }
  Node sum() {
    Node node = product();
    while (is("+") || is("-")) {
      std::string op = token_.text;
      advance();
      node = make_of(Op::kBinary, std::move(op), std::move(node), product());
    }
    return node;
  }
  Node product() {
    Node node = unary();
    while (is("*") || is("/") || is("%")) {
      std::string op = token_.text;
      advance();
      node = make_of(Op::kBinary, std::move(op), std::move(node), unary());
    }
    return node;
  }
  Node unary() {
    int signs = 0;
    const bool is_not = is("!");
    while (take(is_not ? "!" : "-")) ++signs;
    if (signs == 0) return member();
    if (signs > kMaxDepth) fail("nested too deep");
    return make_of(is_not ? Op::kNot : Op::kNegate, signs % 2 == 0 ? "twice" : "", member());
  }

  Node member() {
    Node node = primary();
    while (error_.empty()) {
      if (take("[")) {
        Node index = expression();
        expect("]");
        node = make_of(Op::kIndex, "", std::move(node), std::move(index));
      } else if (take(".")) {
        if (token_.kind != TokenKind::kName) fail("a field name is missing behind \".\"");
        std::string name = token_.text;
        advance();
        if (is("(")) {
          node = method(std::move(node), std::move(name));
        } else {
          node = make_of(Op::kSelect, unescape_name(std::move(name)), std::move(node));
        }
      } else {
        break;
      }
    }
    return node;
  }

  Node method(Node target, std::string name) {
    if (std::find(std::begin(kMacros), std::end(kMacros), name) != std::end(kMacros)) {
      return macro(std::move(target), std::move(name));
    }
    std::vector<Node> parts;
    parts.push_back(std::move(target));
    expect("(");
    arguments(")", parts);
    return call(std::move(name), true, std::move(parts));
  }

  Node call(std::string name, bool method, std::vector<Node> parts) {
    const size_t count = parts.size() - (method ? 1 : 0);
    const bool known =
        std::any_of(std::begin(kFunctions), std::end(kFunctions), [&](const Function& function) {
          return function.name == name && function.method == method &&
                 count >= function.min_arguments && count <= function.max_arguments;
        });
    if (!known) fail(fmt::format("the function {}() with {} arguments", name, count));
    return make(Op::kCall, std::move(name), std::move(parts));
  }

  Node macro(Node range, std::string name) {
    expect("(");
    const std::string variable = token_.text;
    if (token_.kind != TokenKind::kName) fail("a macro without a variable");
    advance();
    expect(",");
    variables_.push_back(variable);
    std::vector<Node> parts;
    parts.push_back(std::move(range));
    arguments(")", parts);
    if (!variables_.empty()) variables_.pop_back();
    const bool fits = parts.size() == 2 || (name == "map" && parts.size() == 3);
    if (!fits) fail(fmt::format("{}() with {} arguments", name, parts.size()));
    Node node = make(Op::kMacro, std::move(name), std::move(parts));
    node.variable = variable;
    return node;
  }

  // Expressions between commas up to `end`, which is taken, too.
  void arguments(std::string_view end, std::vector<Node>& out) {
    while (error_.empty() && !is(end)) {
      out.push_back(expression());
      if (!take(",")) break;
    }
    expect(end);
  }

  Node primary() {
    if (token_.kind == TokenKind::kNumber) return number();
    if (token_.kind == TokenKind::kText) return literal(Json(token_.text));
    if (token_.kind == TokenKind::kName) return name();
    if (take("(")) {
      Node node = expression();
      expect(")");
      return node;
    }
    if (take("[")) {
      std::vector<Node> elements;
      arguments("]", elements);
      return make(Op::kList, "", std::move(elements));
    }
    if (take("{")) return map();
    fail("an expression is missing");
    return {};
  }

  Node map() {
    std::vector<Node> parts;
    while (error_.empty() && !is("}")) {
      parts.push_back(expression());
      expect(":");
      parts.push_back(expression());
      if (!take(",")) break;
    }
    expect("}");
    return make(Op::kMap, "", std::move(parts));
  }

  Node literal(Json value) {
    Node node;
    node.literal = std::make_shared<const Json>(std::move(value));
    advance();
    return node;
  }

  Node number() {
    std::string text = token_.text;
    if (text.ends_with('u') || text.ends_with('U')) text.pop_back();
    if (text.starts_with("0x")) {
      fail("hexadecimal numbers");
      return {};
    }
    if (auto whole = parse_int(text); whole.ok()) return literal(Json(*whole));
    auto real = parse_double(text);
    if (!real.ok()) {
      fail(fmt::format("\"{}\" is not a number", printable(text, 40)));
      return {};
    }
    return literal(Json(*real));
  }

  Node name() {
    std::string name = token_.text;
    if (name == "true" || name == "false") return literal(Json(name == "true"));
    if (name == "null") return literal(Json(nullptr));
    advance();
    if (is("(")) {
      advance();
      std::vector<Node> parts;
      arguments(")", parts);
      if (name != "has") return call(std::move(name), false, std::move(parts));
      if (parts.size() != 1 || parts[0].op != Op::kSelect) {
        fail("has() takes a field");
        return {};
      }
      parts[0].op = Op::kHas;
      return std::move(parts[0]);
    }
    const bool bound = std::find(variables_.begin(), variables_.end(), name) != variables_.end();
    if (!bound && name != "self" && name != "oldSelf") {
      fail(fmt::format("the name \"{}\"", printable(name, 40)));
    }
    if (!bound && name == "oldSelf") uses_old_self_ = true;
    return make(Op::kVariable, std::move(name), {});
  }

  Lexer lexer_;
  Token token_;
  std::string error_;
  std::vector<std::string> variables_;  // those that macros around this place have bound
  int open_ = 0;
  bool uses_old_self_ = false;
};

}  // namespace

Result<Program> compile(std::string_view rule) {
  if (rule.size() > kMaxRuleBytes) return Error("a rule of more than 64 KiB");
  return Parser(rule).program();
}

}  // namespace windlass::server::schema::cel
