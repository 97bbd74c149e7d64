#include "base/yaml_tree.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"

namespace windlass {
namespace {

// The stack of open lists and maps; every event adds a node to the innermost.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(YamlTree& tree, int first_line) : tree_(tree), first_line_(first_line) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(YamlNode::Kind::kNull, mark, "?", anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(YamlNode::Kind::kScalar, mark, tag, anchor).text = value;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    const bool open = target == anchors_.end() ||
                      std::find(open_.begin(), open_.end(), target->second) != open_.end();
    if (open) throw problem(mark, "an anchor that contains itself");
    add(YamlNode::Kind::kAlias, mark, "", YAML::NullAnchor).items.push_back(target->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(add(YamlNode::Kind::kList, mark, tag, anchor), mark);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(add(YamlNode::Kind::kMap, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapEnd() override { open_.pop_back(); }

  [[nodiscard]] YamlProblem problem(const YAML::Mark& mark, std::string text) const {
    return {first_line_ + mark.line, mark.column + 1, std::move(text)};
  }

 private:
  YamlNode& add(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.tag = tag;
    node.line = first_line_ + mark.line;
    node.column = mark.column + 1;
    if (open_.empty()) {
      // The library takes "[] []" for two documents; to everybody else the second is an error.
      if (tree_.root != nullptr) throw problem(mark, "more behind the end of the document");
      tree_.root = &node;
    } else {
      open_.back()->items.push_back(&node);
    }
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    return node;
  }
  void open(YamlNode& node, const YAML::Mark& mark) {
    open_.push_back(&node);
    if (open_.size() > kMaxYamlDepth) {
      throw problem(mark, fmt::format("nested more than {} deep", kMaxYamlDepth));
    }
  }

  YamlTree& tree_;
  int first_line_;
  std::vector<YamlNode*> open_;
  std::map<YAML::anchor_t, YamlNode*> anchors_;
};

}  // namespace

YamlTree read_yaml_tree(std::string_view text, int first_line) {
  YamlTree tree;
  std::string padded(text);
  // A quote that is never closed would pass for closed behind a last line break; not so behind a
  // comment. Everything else ignores the comment.
  if (padded.ends_with('\n')) padded += '#';
  std::istringstream in(padded);
  TreeBuilder builder(tree, first_line);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YamlProblem& e) {
    tree.problem = e;
  } catch (const YAML::Exception& e) {
    tree.problem = builder.problem(e.mark, printable(e.msg, 160));
  }
  return tree;
}

}  // namespace windlass
