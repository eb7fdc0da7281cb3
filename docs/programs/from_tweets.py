"""Keep the tweets of tweets.js, of an archive of Twitter or X, in tweets.txt, without links and retweets."""

import html
import json
import re
from pathlib import Path

content = Path("tweets.js").read_text(encoding="utf-8")
tweets = [
    html.unescape(one["tweet"]["full_text"]) for one in json.loads(content[content.index("[") :])
]
own = [re.sub(r"https?://\S+", "", tweet) for tweet in tweets if not tweet.startswith("RT @")]
lines = [" ".join(tweet.split()) + "\n" for tweet in own if tweet.strip()]
Path("tweets.txt").write_text("".join(lines), encoding="utf-8")
