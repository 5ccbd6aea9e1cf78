#include "pipette/base/list.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace pipette {
namespace {

struct Letter : ListNode {
  explicit Letter(char c) : letter(c) {}
  char letter;
};

using Letters = List<Letter>;

std::string text_of(const Letters& letters) {
  std::string text;
  letters.for_each([&](Letter& letter) { text += letter.letter; });
  return text;
}

TEST(List, KeepsTheOrderOfPushes) {
  Letter a('a'), b('b'), c('c');
  Letters letters;
  EXPECT_TRUE(letters.empty());
  letters.push_back(a);
  letters.push_back(b);
  letters.push_back(c);
  EXPECT_FALSE(letters.empty());
  EXPECT_EQ(text_of(letters), "abc");
  EXPECT_EQ(&letters.front(), &a);
  EXPECT_EQ(&letters.back(), &c);
}

TEST(List, PopsFromTheFront) {
  Letter a('a'), b('b');
  Letters letters;
  letters.push_back(a);
  letters.push_back(b);
  EXPECT_EQ(&letters.pop_front(), &a);
  EXPECT_FALSE(a.is_linked());
  EXPECT_EQ(&letters.pop_front(), &b);
  EXPECT_TRUE(letters.empty());
}

TEST(List, UnlinksANodeAnywhereAndTwice) {
  Letter a('a'), b('b'), c('c');
  Letters letters;
  for (Letter* letter : {&a, &b, &c}) letters.push_back(*letter);
  b.unlink();
  b.unlink();
  EXPECT_FALSE(b.is_linked());
  EXPECT_EQ(text_of(letters), "ac");
  a.unlink();
  c.unlink();
  EXPECT_TRUE(letters.empty());
}

TEST(List, ForgetsANodeThatDies) {
  Letter a('a'), c('c');
  auto b = std::make_unique<Letter>('b');
  Letters letters;
  for (Letter* letter : {&a, b.get(), &c}) letters.push_back(*letter);
  b.reset();
  EXPECT_EQ(text_of(letters), "ac");
}

TEST(List, UnlinksItsNodesWhenItDies) {
  Letter a('a'), b('b');
  {
    Letters letters;
    letters.push_back(a);
    letters.push_back(b);
  }
  EXPECT_FALSE(a.is_linked());
  EXPECT_FALSE(b.is_linked());
}

TEST(List, MovesANodeFromAnotherListOrToTheBack) {
  Letter a('a'), b('b');
  Letters from;
  Letters to;
  from.push_back(a);
  to.push_back(b);
  to.push_back(a);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(text_of(to), "ba");
  to.push_back(b);
  EXPECT_EQ(text_of(to), "ab");
}

TEST(List, SplicesBehindWhatIsThere) {
  Letter a('a'), b('b'), c('c'), d('d');
  Letters front;
  Letters back;
  front.push_back(a);
  for (Letter* letter : {&b, &c}) back.push_back(*letter);
  front.splice_back(back);
  EXPECT_EQ(text_of(front), "abc");
  EXPECT_TRUE(back.empty());
  back.push_back(d);
  front.push_back(back.pop_front());
  EXPECT_EQ(text_of(front), "abcd");
  c.unlink();
  EXPECT_EQ(text_of(front), "abd");
}

TEST(List, SplicesFromAndToAnEmptyList) {
  Letter a('a');
  Letters empty;
  Letters letters;
  letters.splice_back(empty);
  EXPECT_TRUE(letters.empty());
  letters.push_back(a);
  letters.splice_back(empty);
  EXPECT_EQ(text_of(letters), "a");
  empty.splice_back(letters);
  EXPECT_EQ(text_of(empty), "a");
  EXPECT_TRUE(letters.empty());
}

TEST(List, ForEachMayUnlinkItsOwnNode) {
  Letter a('a'), b('b'), c('c');
  Letters letters;
  for (Letter* letter : {&a, &b, &c}) letters.push_back(*letter);
  std::string seen;
  letters.for_each([&](Letter& letter) {
    seen += letter.letter;
    if (letter.letter != 'b') letter.unlink();
  });
  EXPECT_EQ(seen, "abc");
  EXPECT_EQ(text_of(letters), "b");
}

TEST(List, FindsTheFirstNodeAndLooksNoFurther) {
  Letter a('a'), b('b'), c('c');
  Letters letters;
  for (Letter* letter : {&a, &b, &c}) letters.push_back(*letter);
  std::string seen;
  const auto is_b = [&](const Letter& letter) {
    seen += letter.letter;
    return letter.letter == 'b';
  };
  EXPECT_EQ(letters.find_if(is_b), &b);
  EXPECT_EQ(seen, "ab");
  b.unlink();
  EXPECT_EQ(letters.find_if(is_b), nullptr);
  EXPECT_EQ(seen, "abac");
}

}  // namespace
}  // namespace pipette
