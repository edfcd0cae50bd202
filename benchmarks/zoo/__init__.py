"""Many types of vision-language models, tiny and random, made from their configurations: what works with which."""
