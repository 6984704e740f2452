"""Helps to write a question: which words, contexts and pairs a model tells apart."""
