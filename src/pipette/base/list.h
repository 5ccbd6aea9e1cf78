// An intrusive doubly linked list whose nodes unlink themselves when they die.
//
//   class Job : public ListNode { … };
//   List<Job> jobs;  jobs.push_back(job);  jobs.pop_front();
//
// A node is in at most one list of its kind. Nothing is allocated; unlinking needs no list.
//
// Lifetime  neither side owns the other; a list that dies unlinks what is still in it.   Threads  one.
#pragma once

namespace pipette {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool is_linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class Node>
  friend class List;

  ListNode* previous_ = nullptr;
  ListNode* next_ = nullptr;
};

template <class Node>
class List {
 public:
  List() { head_.previous_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) head_.next_->unlink();
    head_.previous_ = head_.next_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  Node& front() const { return static_cast<Node&>(*head_.next_); }
  Node& back() const { return static_cast<Node&>(*head_.previous_); }

  // Moves `node` here from whichever list it was in.
  void push_back(Node& node) {
    ListNode& link = node;
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }
  Node& pop_front() {
    Node& node = front();
    node.ListNode::unlink();
    return node;
  }
  // Everything of `other` goes behind what is here, in order.
  void splice_back(List& other) {
    if (other.empty()) return;
    other.head_.next_->previous_ = head_.previous_;
    head_.previous_->next_ = other.head_.next_;
    other.head_.previous_->next_ = &head_;
    head_.previous_ = other.head_.previous_;
    other.head_.previous_ = other.head_.next_ = &other.head_;
  }
  // The first node for which f(node) holds, or null.
  template <class F>
  Node* find_if(F&& f) const {
    for (ListNode* link = head_.next_; link != &head_; link = link->next_) {
      if (f(static_cast<Node&>(*link))) return static_cast<Node*>(link);
    }
    return nullptr;
  }
  // Calls f(node) for each; f may unlink its own node.
  template <class F>
  void for_each(F&& f) const {
    for (ListNode* link = head_.next_; link != &head_;) {
      ListNode* next = link->next_;
      f(static_cast<Node&>(*link));
      link = next;
    }
  }

 private:
  ListNode head_;
};

}  // namespace pipette
