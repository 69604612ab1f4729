#!/bin/bash
# Makes the TFRecords that configs/spin_words.yaml names: real words converted, synthetic ones drawn, a second validation held out.
#
# configs/spin_words_data.sh WORDS OUTPUT [NUM_SYNTHETIC]        from the root of the project, its environment active
#
# WORDS holds real/ (icdar2015, iiit5k, svt, born_digital, mjsynth, validation.txt), real_more/ (a folder for each set with images.zip and
# labels.tsv), fonts/, backgrounds/ and text/. OUTPUT gets the shards; 240,000 synthetic words by default. 3.5 minutes of 2 cores of an AMD EPYC (2026-11-28).
set -euo pipefail
words=$(realpath "$1")
output=$2
num_synthetic=${3:-240000}
mkdir -p "$output"

convert() { # NAME SOURCE INPUT [FLAGS]
  local name=$1 source=$2 input=$3
  shift 3
  bin/create_tfrecords.py --source="$source" --input="$input" --output="$output/$name" "$@"
}

real=$words/real
listed() { # NAME SOURCE INPUT: training words, and those of the validation list, which stay whatever their length and characters
  convert "$1" "$2" "$3" --exclude="$real/validation.txt"
  convert "$1_val" "$2" "$3" --only="$real/validation.txt" --charset=any --max_length=99 --num_shards=1
}
listed icdar2015 icdar "$real/icdar2015/gt.txt"
listed iiit5k tsv "$real/iiit5k/train_cased.tsv"
listed svt tsv "$real/svt/labels.txt"
convert born_digital born_digital "$real/born_digital"
convert mjsynth mjsynth "$real/mjsynth/annotation_train.txt"
convert mjsynth_test mjsynth "$real/mjsynth/annotation_test.txt"

held_out() { # NAME COUNT: the last COUNT words are the second validation; their order is that of the pictures they were cut from
  local folder=$output/images/$1
  mkdir -p "$folder"
  unzip -q -n "$words/real_more/$1/images.zip" -d "$folder"
  cp "$words/real_more/$1/labels.tsv" "$folder/labels.tsv"
  tail -n "$2" "$folder/labels.tsv" | cut -f1 > "$folder/second.txt"
  convert "$1" tsv "$folder/labels.tsv" --exclude="$folder/second.txt"
  convert "second_$1" tsv "$folder/labels.tsv" --only="$folder/second.txt" --charset=any --max_length=99 --num_shards=1
}
held_out weak_movie_posters 1500
held_out sroie_receipts 600
held_out weak_street 200
held_out weak_packages 200
held_out plates 200
held_out total_text_train_part 40
held_out weak_book_covers 400
held_out weak_shopfronts 300
held_out weak_mlt_photos 300
held_out weak_game_logos 100
held_out weak_game_boxes 60
held_out weak_beer_labels 50
held_out weak_tv_logos 40
held_out weak_tshirts 40

bin/synthesize.py --output="$output/synth" --num_words="$num_synthetic" --seed=15 --size=32,128 --fonts="$words/fonts" --backgrounds="$words/backgrounds" \
  --lexicon="$words/text/synth90k_lexicon.txt,$words/text/icdar2015_generic_vocabulary.txt" --workers=2
