"""Wrong and right answers to the exercises that are loops: training an epoch, drawing, writing.

They have the form of those in ``other_answers``; each is the whole body of a function.
"""

FEED = ("feed = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob,\n"
        "            model.initial_state: state}\n")
ALL = "session.run([model.loss, model.final_state, model.optimizer], feed)\n"


def epoch(before="state = session.run(model.initial_state)", inside="", after="yield loss", last=""):
    """Return a body of run_epoch with a loop over the windows."""
    inside = inside or FEED + "loss, state, _ = " + ALL
    lines = (inside.rstrip("\n") + "\n" + after).split("\n")
    return before + "\nfor x, y in batches:\n" + "\n".join("    " + line for line in lines) + "\n" + last


RUN_EPOCH = [("", body, expected) for body, expected in [
    # the state
    (epoch(inside=FEED + "loss, final_state, _ = " + ALL),
     "should be fed the final_state of window 0, but it is fed zeros"),
    (epoch(before="pass", inside="state = session.run(model.initial_state)\n" + FEED + "loss, state, _ = " + ALL),
     "should be fed the final_state of window 0, but it is fed zeros"),
    (epoch(before="pass", inside="feed = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob}\n"
                                 "loss, state, _ = " + ALL), "but it is not fed"),
    (epoch(inside=FEED + "loss, _, state = " + ALL), "is not a state"),
    (epoch(inside=FEED + "state, loss, _ = " + ALL), "is not a state"),
    (epoch(inside=FEED + "loss, state, _ = session.run([model.loss, model.initial_state, model.optimizer], feed)"),
     "but it is fed zeros"),
    (epoch(before="first = state = session.run(model.initial_state)",
           inside=FEED + "loss, state, _ = " + ALL + "state = first"),
           "should be fed the final_state of window 0, but it is fed zeros"),
    (epoch(before="state = model.initial_state"), "TypeError"),
    (epoch(before="state = model.final_state"), "TypeError"),
    (epoch(before="state = session.run(model.final_state)"), "feed a value for placeholder"),
    (epoch(before="state = 0"), "raised"),
    (epoch(before="pass"), ("UnboundLocalError", "or before the loop")),
    (epoch(inside=FEED.replace("initial_state", "final_state") + "loss, state, _ = " + ALL), "but it is not fed"),
    (epoch(inside=FEED.replace("initial_state: state", "initial_state[1]: state[1]") + "loss, state, _ = " + ALL),
     "final_state of window 0, but"),
    (epoch(inside=FEED + "loss, new, _ = " + ALL + "state = tuple(tf.nn.rnn_cell.LSTMStateTuple(one.c, 0 * one.h) "
                                                   "for one in new)"), "but it is fed another"),
    (epoch(inside=FEED + "loss, new, _ = " + ALL + "state = new[::-1]"), "but it is fed another"),
    (epoch(before="state = run_epoch.__dict__.get('state') or session.run(model.initial_state)",
           last="run_epoch.state = state"), "A second epoch begins with the state"),
    (epoch(before="state = session.run(model.initial_state)\nstate = tuple(tf.nn.rnn_cell.LSTMStateTuple(one.c + 1, "
                  "one.h) for one in state)"), "should be fed zeros, but it is fed another"),
    # what is fed
    (epoch(inside=FEED.replace("keep_prob: keep_prob", "keep_prob: 0.5") + "loss, state, _ = " + ALL),
     "should be fed 1, but it is fed 0.5"),
    (epoch(inside=FEED.replace("keep_prob: keep_prob", "keep_prob: 1.0") + "loss, state, _ = " + ALL),
     "fed the argument keep_prob, here 0.25, but it is fed 1"),
    (epoch(inside=FEED.replace(" model.keep_prob: keep_prob,", "") + "loss, state, _ = " + ALL),
     ("feed a value for placeholder", "feed it, or do not ask for the tensor")),
    (epoch(inside=FEED.replace("x, model.targets: y", "y, model.targets: x") + "loss, state, _ = " + ALL),
     "model.inputs should be fed the x of window 0, but it is fed the y of window 0"),
    (epoch(inside=FEED.replace("targets: y", "targets: x") + "loss, state, _ = " + ALL),
     "model.targets should be fed the y of window 0, but it is fed the x of window 0"),
    (epoch(inside=FEED.replace("inputs: x", "inputs: x[::-1]") + "loss, state, _ = " + ALL),
     "the x of window 0, but it is fed ["),
    (epoch(inside=FEED.replace("targets: y", "targets: y + 1 - 1 * (y > 5)") + "loss, state, _ = " + ALL),
     "the y of window 0, but it is fed ["),
    (epoch(inside=FEED.replace("inputs: x", "inputs: x.T") + "loss, state, _ = " + ALL), "Cannot feed value of shape"),
    (epoch(inside=FEED.replace("model.inputs", "inputs") + "loss, state, _ = " + ALL), "NameError: name 'inputs'"),
    # what is asked for
    (epoch(inside=FEED + "loss, state = session.run([model.loss, model.final_state], feed)"), "It does 0 updates"),
    (epoch(inside=FEED + "loss, state = session.run([model.loss, model.final_state], feed)\n"
                  "session.run(model.optimizer, {model.inputs: x, model.targets: y, model.keep_prob: keep_prob, "
                  "model.initial_state: state})"), "should be fed zeros, but it is fed the final_state of window 0"),
    (epoch(inside=FEED + "session.run(model.optimizer, feed)\n"
                  "loss, state = session.run([model.loss, model.final_state], feed)"), "but it is fed another"),
    (epoch(inside=FEED + "loss, _ = session.run([model.loss, model.optimizer], feed)\n"
                  "state = session.run(model.final_state, feed)"), "but it is fed another"),
    (epoch(inside=FEED + "loss, state, _ = session.run([model.logits, model.final_state, model.optimizer], feed)"),
     "the loss of each window, a number"),
    (epoch(inside=FEED + "loss, state = session.run([model.loss, model.final_state, model.optimizer], feed)"),
     "too many values to unpack"),
    (epoch(inside=FEED + "loss, state, _ = session.run(model.loss, model.final_state, model.optimizer, feed)"),
     "raised"),
    (epoch(inside=FEED + "loss, state, _ = session.run([model.loss, model.final_state, model.optimizer])"),
     "feed a value for placeholder"),
    (epoch(inside=FEED + "loss, state, _ = session.run([model.cost, model.final_state, model.optimizer], feed)"),
     "no attribute 'cost'"),
    (epoch(inside=FEED + ("loss, state, _ = " + ALL) * 2), "8 updates, in the windows 0, 0, 1, 1"),
    # what is yielded
    (epoch(after="return loss"), "in place of a generator"),
    (epoch(before="losses = []\nstate = session.run(model.initial_state)", after="losses.append(loss)",
           last="return losses"), "It returns a list"),
    (epoch(before="losses = []\nstate = session.run(model.initial_state)", after="losses.append(loss)",
           last="yield from losses"), "after 4, 4, 4, 4 updates"),
    (epoch(before="losses = []\nstate = session.run(model.initial_state)", after="losses.append(loss)",
           last="yield np.mean(losses)"), "1 time, after 4 updates"),
    (epoch(after="pass", last="yield loss"), "1 time, after 4 updates"),
    (epoch(after="yield loss, state"), "a number, not a tuple of 2"),
    (epoch(after="yield state"), "should yield the loss"),
    (epoch(after="yield str(loss)"), "should yield the loss"),
    (epoch(after="yield -loss"), "The loss of window 0 should be"),
    (epoch(after="yield loss\nbreak"), "It does 1 update, in the windows 0."),
    (epoch(after="pass"), "It returns None, in place of a generator"),
    (epoch(after="yield loss\nstate = session.run(model.initial_state)"),
     "should be fed the final_state of window 0, but it is fed zeros"),
    # the rest
    (epoch(before="batches = sorted(batches, key=lambda pair: pair[0].sum())\n"
                  "state = session.run(model.initial_state)"), "in this order. It does 4 updates"),
    (epoch(before="next(batches)\nstate = session.run(model.initial_state)"), "in the windows 1, 2, 3"),
    (epoch(before="session = tf.Session()\nstate = session.run(model.initial_state)"), "use the session that is given"),
    (epoch(before="session.run(tf.global_variables_initializer())\nstate = session.run(model.initial_state)"),
     "The weights are initialized"),
    (epoch(before="state = session.run(model.initial_state)\nloss = None",
           inside=FEED + "_, state, _ = " + ALL), "Still None: loss"),
    ("yield from ()", "It does 0 updates"),
]]
RUN_EPOCH_RIGHT = [("", body) for body in [
    epoch(before="state = None", inside=FEED.replace(",\n            model.initial_state: state}", "}") +
          "if state is not None:\n    feed[model.initial_state] = state\nloss, state, _ = " + ALL),
    epoch(inside=FEED + "_, loss, state = session.run([model.optimizer, model.loss, model.final_state], feed)"),
    epoch(inside=FEED + "got = session.run(dict(l=model.loss, s=model.final_state, o=model.optimizer), feed)\n"
                 "loss, state = got['l'], got['s']"),
    epoch(inside="feed = {'inputs:0': x, 'targets:0': y, 'keep_prob:0': keep_prob, model.initial_state: state}\n"
                 "loss, state, _ = " + ALL),
    epoch(before="state = session.run(model.initial_state)\nbatches = list(batches)"),
    epoch(inside="feed = {model.inputs: x, model.targets: y, model.keep_prob: keep_prob}\n"
                 "for (c, h), one in zip(model.initial_state, state):\n    feed[c], feed[h] = one\n"
                 "loss, state, _ = " + ALL),
    epoch(before="n = int(model.inputs.shape[0])\n"
                 "state = tuple((np.zeros((n, 4)), np.zeros((n, 4))) for _ in model.initial_state)"),
    epoch(inside=FEED + "loss, pred, state, _ = session.run([model.loss, model.prediction, model.final_state, "
                 "model.optimizer], feed)"),
    epoch(after="yield float(loss)"),
]] + [("", epoch(inside=FEED + "loss, state = session.run([model.loss, model.final_state], feed)\n"
                                "session.run(model.optimizer, feed)"), "more than once for a window")]

PICK = [("", body, expected) for body, expected in [
    ("return int(np.argmax(preds))", "always returns the most probable"),
    ("return np.random.choice(vocab_size, p=np.squeeze(preds) / np.sum(preds))", "but [0, 1, 2, 3, 4, 5, 6, 7, 8] are"),
    ("p = np.array(preds)\np[np.argsort(p)[:-top_n]] = 0\np /= p.sum()\nreturn np.random.choice(vocab_size, p=p)",
     "preds is [1, C]"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\nreturn np.random.choice(vocab_size, p=p)",
     "divide p by its sum"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\np /= p.sum()\n"
     "return np.random.choice(vocab_size, 1, p=p)", "take its element [0]"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\np /= p.sum()\n"
     "return p[np.random.choice(vocab_size, p=p)]", "is it the probability?"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:top_n]] = 0\np /= p.sum()\n"
     "return np.random.choice(vocab_size, p=p)", "but [0, 1, 3, 5, 6, 8] are"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[-top_n:]] = 0\np /= p.sum()\n"
     "return np.random.choice(vocab_size, p=p)",
     "the most probable ids are [1, 5, 6], and only these should be drawn, but [0, 2, 3"),
    ("p = np.array(preds).ravel()\ntop = np.argsort(p)[-top_n:]\nreturn np.random.choice(top)",
     "all 3 are drawn equally often"),
    ("p = np.sort(np.array(preds).ravel())[-top_n:]\nreturn np.random.choice(top_n, p=p / p.sum())",
     "Do you return a place among the most probable, not an id?"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-5]] = 0\nreturn np.random.choice(vocab_size, p=p / p.sum())",
     "but [1, 3, 5, 6, 8] are"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\np = np.exp(p) / np.exp(p).sum()\n"
     "return np.random.choice(vocab_size, p=p)", 'checks.hint("pick_top_n")'),
    ("p = np.array(preds).ravel()\np[p < np.sort(p)[-top_n - 1]] = 0\nreturn np.random.choice(vocab_size, "
     "p=p / p.sum())", "but [1, 3, 5, 6] are"),
    ("p = i = None\nreturn i", "Still None: p, i"),
    ("i = np.random.choice(vocab_size)", "should end with return"),
    ("p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\np = p ** 2 / (p ** 2).sum()\n"
     "return np.random.choice(vocab_size, p=p)", "id 5 should be drawn in 57% of the cases, but it is in 7"),
    ("return vocab_size", "an id below vocab_size = 9"),
    ("return 'e'", "not 'e'"),
    ("p = np.array(preds).ravel()[np.argsort(np.ravel(preds))[-top_n:]]\n"
     "return np.random.choice(vocab_size, p=p / p.sum())", "same size"),
]]
PICK_RIGHT = [("", body) for body in [
    "p = np.squeeze(preds).copy()\np[np.argsort(p)[:-top_n]] = 0\np = p / np.sum(p)\n"
    "return np.random.choice(vocab_size, 1, p=p)[0]",
    "p = np.ravel(preds)\ntop = np.argsort(p)[-top_n:]\nreturn np.random.choice(top, p=p[top] / p[top].sum())",
    "p = np.ravel(preds)\ntop = np.argsort(p)[::-1][:top_n]\nedges = np.cumsum(p[top] / p[top].sum())\n"
    "return top[min(np.searchsorted(edges, np.random.rand()), len(top) - 1)]",
    "import random\np = np.ravel(preds)\ntop = [int(i) for i in np.argsort(p)[-top_n:]]\n"
    "return random.choices(top, weights=p[top])[0]",
    "p = np.array(preds).ravel()\np[np.argsort(p)[:-top_n]] = 0\n"
    "return int(np.argmax(np.random.multinomial(1, p.astype(float) / p.astype(float).sum())))",
]] + [("", "p = np.squeeze(preds)\np[np.argsort(p)[:-top_n]] = 0\np = p / np.sum(p)\n"
           "return np.random.choice(vocab_size, 1, p=p)[0]", "it changes preds")]

READ = ("def read(i, state):\n    feed = {model.inputs: [[i]], model.keep_prob: 1.0, model.initial_state: state}\n"
        "    return session.run([model.prediction, model.final_state], feed)\n")
START = "ids = list(prime_ids)\nstate = session.run(model.initial_state)\n"
PRIME = "for i in prime_ids:\n    preds, state = read(i, state)\n"
DRAW = "ids.append(pick(preds, vocab_size))\n"
LOOP = "for _ in range(n_samples):\n    preds, state = read(ids[-1], state)\n    " + DRAW
GENERATE = [("", body, expected) for body, expected in [
    # the state
    (READ.replace(", model.initial_state: state", "") + START + PRIME + DRAW + LOOP + "return ids",
     "In call 1 model.initial_state should be fed the final_state of call 0, but it is not fed"),
    (READ + START + PRIME.replace("state =", "_ =") + DRAW + LOOP.replace("state =", "_ =") + "return ids",
     "but it is fed zeros"),
    (READ + START + PRIME + DRAW + "state = session.run(model.initial_state)\n" + LOOP + "return ids",
     "In call 4 model.initial_state should be fed the final_state of call 3, but it is fed zeros"),
    (READ + START + PRIME + DRAW + LOOP.replace("state =", "_ =") + "return ids",
     "fed the final_state of call 4, but it is fed the final_state of call 3"),
    (READ + START + PRIME + DRAW + LOOP.replace("    preds", "    state = session.run(model.initial_state)\n    preds")
     + "return ids", "In call 4 model.initial_state should be fed the final_state of call 3, but it is fed zeros"),
    (READ + "ids = list(prime_ids)\n" + PRIME + DRAW + LOOP + "return ids", "UnboundLocalError"),
    (READ.replace("model.final_state", "model.initial_state") + START + PRIME + DRAW + LOOP + "return ids",
     "but it is fed zeros"),
    # the prime
    (READ + START + "preds, state = read(prime_ids[-1], state)\n" + DRAW + LOOP + "return ids",
     "before all of the prime was read"),
    (READ + START + "preds, state = read(prime_ids[0], state)\n" + DRAW + LOOP + "return ids",
     "before all of the prime was read"),
    (READ + START + PRIME + "for _ in range(n_samples + 1):\n    preds, state = read(ids[-1], state)\n    " + DRAW
     + "return ids", "is fed twice"),
    (READ + START + PRIME + LOOP + "return ids", "is fed twice"),
    (READ + START + "preds, state = session.run([model.prediction, model.final_state], {model.inputs: [prime_ids], "
     "model.keep_prob: 1.0, model.initial_state: state})\n" + DRAW + LOOP + "return ids", "that is [[i]]"),
    (READ + "ids = []\nstate = session.run(model.initial_state)\n" + PRIME + DRAW + LOOP + "return ids",
     "it should return [3, 1, 4, 2, 5, 0, 6, 1]"),
    (READ + START + PRIME.replace("prime_ids:", "prime_ids[:-1]:") + DRAW + LOOP + "return ids",
     "before all of the prime was read"),
    (READ + START + PRIME.replace("prime_ids:", "reversed(prime_ids):") + DRAW + LOOP + "return ids",
     "should feed id 0 of the prime, [[3]], as model.inputs, but it feeds [[2]]"),
    (READ + START + PRIME + "    " + DRAW + LOOP + "return ids", "before all of the prime was read"),
    (READ + START + PRIME.replace("read(i,", "read(int_to_vocab[i],") + DRAW + LOOP + "return ids",
     "NameError: name 'int_to_vocab'"),
    # drawing
    (READ + START + PRIME + DRAW.replace("pick(preds, vocab_size)", "int(np.argmax(preds))")
     + LOOP.replace("pick(preds, vocab_size)", "int(np.argmax(preds))") + "return ids", "pick is never called"),
    (READ + START + PRIME + DRAW.replace("vocab_size", "5") + LOOP.replace("vocab_size", "5") + "return ids",
     "as it is, and vocab_size"),
    (READ + START + PRIME + DRAW.replace(", vocab_size", "") + LOOP + "return ids", "missing 1 required positional"),
    (READ.replace("model.prediction", "model.logits") + START + PRIME + DRAW + LOOP + "return ids",
     "pick should be given model.prediction"),
    (READ + START + PRIME + DRAW + LOOP.replace("preds, state =", "_, state =") + "return ids",
     "after the id that was fed last"),
    (READ + START + PRIME + DRAW + LOOP.replace("ids[-1]", "i") + "return ids", "is fed twice"),
    (READ + START + PRIME + DRAW + LOOP.replace("ids[-1]", "np.argmax(preds)") + "return ids",
     "should feed drawn id 0, [[5]]"),
    (READ + START + PRIME + DRAW + LOOP.replace("ids[-1]", "ids[0]") + "return ids",
     "should feed drawn id 0, [[5]], as model.inputs, but it feeds [[3]]"),
    (READ + START + PRIME + DRAW + LOOP.replace("ids.append(pick", "print(pick") + "return ids",
     "should feed drawn id 1, [[0]], as model.inputs, but it feeds [[5]]"),
    # how many, keep_prob
    (READ + START + PRIME + DRAW + LOOP.replace("n_samples", "n_samples - 1") + "return ids",
     "pick should be called 4 times"),
    (READ + START + PRIME + DRAW + LOOP.replace("n_samples", "n_samples + 1") + "return ids",
     "but it is called 5 times"),
    (READ.replace("1.0", "0.5") + START + PRIME + DRAW + LOOP + "return ids", "Dropout is on"),
    (READ.replace("1.0", "0.0") + START + PRIME + DRAW + LOOP + "return ids", "Dropout is on"),
    (READ.replace(" model.keep_prob: 1.0,", "") + START + PRIME + DRAW + LOOP + "return ids",
     "feed it, or do not ask for the tensor"),
    (READ.replace("[model.prediction, model.final_state]", "[model.prediction, model.final_state, model.loss]")
     + START + PRIME + "return ids", "raised"),
    # what is returned
    (READ + START + PRIME + DRAW + LOOP, "It returns None"),
    (READ + START + PRIME + DRAW + LOOP + "return ''.join(map(str, ids))", "the next function makes the text"),
    (READ + START + PRIME + DRAW + LOOP + "yield ids", "should return a list of ids, not a generator"),
    (READ + START + PRIME + DRAW + LOOP + "return ids[-1]", "should return a list of ids"),
    ("preds = ids = None\nreturn ids", "Still None: preds, ids"),
]]
GENERATE_RIGHT = [("", body) for body in [
    # reads all but the last id of the prime first, then one loop
    READ + START + "for i in ids[:-1]:\n    _, state = read(i, state)\nfor _ in range(n_samples + 1):\n"
    "    preds, state = read(ids[-1], state)\n    " + DRAW + "return ids",
    # one update too many at the end
    READ + START + PRIME + "for _ in range(n_samples + 1):\n    " + DRAW + "    preds, state = read(ids[-1], state)\n"
    "return ids",
    READ + START + PRIME + DRAW + LOOP + "return np.array(ids)",
    READ.replace("[[i]]", "np.full([1, 1], i)") + START + PRIME + DRAW + LOOP + "return ids",
    "x, new_state, ids = np.zeros((1, 1)), session.run(model.initial_state), [c for c in prime_ids]\n"
    "for c in prime_ids:\n    x[0, 0] = c\n    feed = {model.inputs: x, model.keep_prob: 1., "
    "model.initial_state: new_state}\n    preds, new_state = session.run([model.prediction, model.final_state], "
    "feed_dict=feed)\nc = pick(preds, vocab_size)\nids.append(c)\nfor i in range(n_samples):\n    x[0, 0] = c\n"
    "    feed = {model.inputs: x, model.keep_prob: 1., model.initial_state: new_state}\n"
    "    preds, new_state = session.run([model.prediction, model.final_state], feed_dict=feed)\n"
    "    c = pick(preds, vocab_size)\n    ids.append(c)\nreturn ids",
]] + [("", READ + START.replace("list(prime_ids)", "prime_ids") + PRIME.replace("prime_ids:", "list(prime_ids):")
       + DRAW + LOOP + "return ids", "it changes the list prime_ids"),
      ("", READ.replace("return session.run([model.prediction, model.final_state], feed)",
                        "return session.run(model.prediction, feed), session.run(model.final_state, feed)")
       + START + PRIME + DRAW + LOOP + "return ids", "more than once for a character")]

WRONG = {"run_epoch": RUN_EPOCH, "pick_top_n": PICK, "generate_ids": GENERATE}
RIGHT = {"run_epoch": RUN_EPOCH_RIGHT, "pick_top_n": PICK_RIGHT, "generate_ids": GENERATE_RIGHT}
