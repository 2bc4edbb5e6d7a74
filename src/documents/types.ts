/**
 * The documents as types, with what their fields mean. Made from the schemas beside this file: after a change there,
 * `npx vitest run test/documents --update=all`.
 */

/** The text the model was run on. */
export interface CalibrationText {
  /** File name, or the name of the text that comes with lorp. */
  readonly name: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly sha256: string;
  /** The part of the text, whose windows are dealt in turn: to the analysis, the choice, the analysis, the report. */
  readonly part?: "analysis" | "choice" | "report";
}

export interface AnalysisSettings {
  /** The text the model was run on. */
  readonly calibration?: CalibrationText;
  /** Number of token sequences. */
  readonly sequences?: number;
  /** Tokens in a sequence. */
  readonly sequenceLength?: number;
  /** Tokens measured in all. */
  readonly tokens?: number;
  /** What computed: cpu, cuda, vulkan, metal, or other machines by rpc. */
  readonly device?: string;
  /** Whether each sequence begins with the model's BOS token, which is not measured itself. */
  readonly bos?: boolean;
  /** Seed of every random draw. */
  readonly seed?: number;
  /** The number of clusters asked for, if any was. */
  readonly clusters?: number;
}

export interface LayerMeasures {
  /** Index of the layer. */
  readonly layer: number;
  readonly cluster: number;
  /** Mean similarity to all other layers of its cluster; null for a cluster of one. LoRP removes the highest first. */
  readonly redundancy: number | null;
  /** 1 - similarity of the layer's input and output; null for the last layer, whose output is not measured. */
  readonly blockInfluence: number | null;
}

/** How sure the answer is, judged by how much the sequences differ (bootstrap over sequences). */
export interface Confidence {
  /** The selection method whose answer was judged. */
  readonly method: string;
  /** The number of layers it was asked for. */
  readonly budget: number;
  /** Whether another text is unlikely to change the removed layers: the same ones in 95 % of resamples, and the locality score two standard errors away from where the number of clusters changes. */
  readonly settled: boolean;
  /** The shares of resamples with the same number of clusters, the same clusters and the same removed layers. */
  readonly agreement: {
    readonly k: number;
    readonly clusters: number;
    readonly layers: number;
  };
  readonly rlsStandardError: number;
  /** The largest of the entries of similarity. */
  readonly entryStandardError: number;
  /** Other layers that resamples led to, the most frequent first. */
  readonly alternatives: readonly {
    readonly removedLayers: readonly number[];
    readonly share: number;
  }[];
}

/** What was measured of a model. Only schemaVersion, model.blockCount and similarity are required; lorp works out the rest. */
export interface PartialAnalysis {
  /** Version of this document's form. */
  readonly schemaVersion: 1;
  /** Version of lorp that made the document. */
  readonly lorpVersion?: string;
  /** The model the document is about. */
  readonly model: ModelSummary;
  readonly settings?: AnalysisSettings;
  /** N x N cosine similarities of the layers' inputs, averaged over tokens; row and column i are layer i, the diagonal is 1. */
  readonly similarity: readonly (readonly number[])[];
  /** Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive. */
  readonly rls?: number | null;
  /** Number of clusters. */
  readonly k?: number;
  /** The cluster of each layer, 0...k-1, numbered by first layer. */
  readonly clusters?: readonly number[];
  readonly layers?: readonly LayerMeasures[];
  /** How sure the answer is, judged by how much the sequences differ (bootstrap over sequences). */
  readonly confidence?: Confidence;
}

export interface Analysis {
  /** Version of this document's form. */
  readonly schemaVersion: 1;
  /** Version of lorp that made the document. */
  readonly lorpVersion?: string;
  /** The model the document is about. */
  readonly model: ModelSummary;
  readonly settings: AnalysisSettings;
  /** N x N cosine similarities of the layers' inputs, averaged over tokens; row and column i are layer i, the diagonal is 1. */
  readonly similarity: readonly (readonly number[])[];
  /** Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive. */
  readonly rls: number | null;
  /** Number of clusters. */
  readonly k: number;
  /** The cluster of each layer, 0...k-1, numbered by first layer. */
  readonly clusters: readonly number[];
  readonly layers: readonly LayerMeasures[];
  /** How sure the answer is, judged by how much the sequences differ (bootstrap over sequences). */
  readonly confidence?: Confidence;
}

/** What each method's choice costs at each budget. */
export interface Comparison {
  /** Version of this document's form. */
  readonly schemaVersion: 1;
  /** Version of lorp that made the document. */
  readonly lorpVersion?: string;
  /** The command line, if there was one. */
  readonly command?: string;
  readonly model: {
    /** Identity of the file's content. */
    readonly fingerprint?: string;
    /** general.architecture of the file. */
    readonly architecture?: string;
    /** general.name of the file. */
    readonly name?: string;
    /** Number of layers in the file (GGUF calls them blocks). */
    readonly blockCount: number;
    /** Number of layers measured, from the first; fewer than blockCount if prediction layers trail. */
    readonly analysedBlocks?: number;
    /** How often the model runs its layers, one loop after the other; once if missing. */
    readonly loops?: number;
    /** Width of the hidden states. */
    readonly embeddingLength?: number;
    /** Number of weights. */
    readonly parameters?: number;
    /** Size of the model's file or files in bytes. */
    readonly fileBytes?: number;
  };
  readonly analysis?: {
    /** Version of this document's form. */
    readonly schemaVersion: 1;
    /** Version of lorp that made the document. */
    readonly lorpVersion?: string;
    /** The model the document is about. */
    readonly model: ModelSummary;
    readonly settings: AnalysisSettings;
    /** N x N cosine similarities of the layers' inputs, averaged over tokens; row and column i are layer i, the diagonal is 1. */
    readonly similarity?: readonly (readonly number[])[];
    /** Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive. */
    readonly rls: number | null;
    /** Number of clusters. */
    readonly k: number;
    /** The cluster of each layer, 0...k-1, numbered by first layer. */
    readonly clusters: readonly number[];
    readonly layers: readonly LayerMeasures[];
    /** How sure the answer is, judged by how much the sequences differ (bootstrap over sequences). */
    readonly confidence?: Confidence;
  };
  /** The texts that everything was measured on, and how the original does there. */
  readonly texts: readonly {
    /** File name, or the name of the text that comes with lorp. */
    readonly name: string;
    /** SHA-256 of the text, hexadecimal. */
    readonly sha256: string;
    /** The part of the text, whose windows are dealt in turn: to the analysis, the choice, the analysis, the report. */
    readonly part?: "analysis" | "choice" | "report";
    /** Number of token sequences scored. */
    readonly sequences: number;
    /** Tokens in a sequence. */
    readonly sequenceLength: number;
    /** What was measured on one text. */
    readonly original: {
      readonly perplexity: number;
      /** Of the perplexity, tokens taken as independent. */
      readonly standardError?: number | null;
      /** Mean Kullback-Leibler divergence from the original's token distributions, nats a token. */
      readonly klDivergence?: number;
      /** Of the KL divergence, tokens taken as independent; null of a single one. */
      readonly klStandardError?: number | null;
      /** Share of the tokens where the original puts most probability on the same. */
      readonly topAgreement?: number;
      /** What the removal comes to, by the limits in grades. */
      readonly verdict?: Verdict;
    };
  }[];
  readonly candidates: readonly {
    readonly method: string;
    /** Number of layers removed. */
    readonly budget: number;
    /** Ascending. */
    readonly removedLayers: readonly number[];
    /** Bytes of the file without these layers. */
    readonly bytes?: number;
    /** How many times as fast it generates, estimated by the weights that one token is multiplied with. */
    readonly speedup?: number;
    /** One for each of the texts, in their order. */
    readonly measures: readonly {
      readonly perplexity: number;
      /** Of the perplexity, tokens taken as independent. */
      readonly standardError?: number | null;
      /** Mean Kullback-Leibler divergence from the original's token distributions, nats a token. */
      readonly klDivergence?: number;
      /** Of the KL divergence, tokens taken as independent; null of a single one. */
      readonly klStandardError?: number | null;
      /** Share of the tokens where the original puts most probability on the same. */
      readonly topAgreement?: number;
      /** What the removal comes to, by the limits in grades. */
      readonly verdict?: Verdict;
    }[];
  }[];
  /** The original first, then removals and types of quantisation, alone and together. */
  readonly variants?: readonly {
    /** The type of quantisation of the whole model; null as it is. */
    readonly type: string | null;
    /** What chose the layers. */
    readonly method?: string;
    /** Ascending. */
    readonly removedLayers: readonly number[];
    /** Bytes of the file. */
    readonly bytes: number;
    /** Bytes of the cache (F16) for one token of context: its keys and values in all layers, at most. */
    readonly cacheBytes: number;
    /** How many times as fast as the original it reads a prompt and generates. */
    readonly speedup: {
      readonly prompt: number;
      readonly generation: number;
    };
    /** Whether both models were timed in turn; if not, the share of removed layers in the work is estimated by their weights. */
    readonly timed: boolean;
    /** One for each of the texts, in their order. */
    readonly measures: readonly {
      readonly perplexity: number;
      /** Of the perplexity, tokens taken as independent. */
      readonly standardError?: number | null;
      /** Mean Kullback-Leibler divergence from the original's token distributions, nats a token. */
      readonly klDivergence?: number;
      /** Of the KL divergence, tokens taken as independent; null of a single one. */
      readonly klStandardError?: number | null;
      /** Share of the tokens where the original puts most probability on the same. */
      readonly topAgreement?: number;
      /** What the removal comes to, by the limits in grades. */
      readonly verdict?: Verdict;
    }[];
  }[];
  /** Why types that were asked for were not compared, for people. */
  readonly typesLeftOut?: string;
  /** The grades of a verdict, the best first; the first one whose limits both hold is given. */
  readonly grades?: Grades;
}

/** A set of layers whose removal was measured. */
export interface MeasuredSet {
  /** Ascending. */
  readonly removedLayers: readonly number[];
  /** Methods or steps that proposed this set. */
  readonly proposedBy: readonly string[];
  /** Whether all sequences were measured; if not, the set was clearly worse than another. */
  readonly complete: boolean;
  /** Number of sequences measured. */
  readonly sequences: number;
  /** Mean, nats: KL divergence from the model as it is, or negative log-likelihood, of a token; of a task's item by how much the likeliest wrong choice is likelier than the right one; as the objective says. */
  readonly loss: number;
  /** exp(loss), of a negative log-likelihood. */
  readonly perplexity?: number;
  /** Loss of this set - loss of the set that the search chose, on the same sequences, nats a token. */
  readonly difference: {
    readonly mean: number;
    /** Over sequences; null of a single one. */
    readonly standardError: number | null;
  };
  /** The same set with its repair, if that was tried. */
  readonly repaired?: {
    /** What makes up for the removed layers; null where nothing helped. */
    readonly kind: "refit" | "bridge" | null;
    /** KL divergence from the model as it is, nats a token, on the same pieces of text. */
    readonly divergence: number;
  };
}

/** What was measured to make the choice, on text that was not used for the analysis. */
export interface Measurements {
  /** The text the model was run on. */
  readonly text: CalibrationText;
  /** Number of sequences that a complete measurement covers. */
  readonly sequences: number;
  /** Tokens in a sequence; of a task in the first group of its items. */
  readonly sequenceLength: number;
  /** What the choice made small; perplexity if absent. */
  readonly objective?: "kl" | "perplexity" | "task";
  /** The model as it is; null if it was not measured. */
  readonly original: {
    /** Mean, nats: KL divergence from the model as it is, or negative log-likelihood, of a token; of a task's item by how much the likeliest wrong choice is likelier than the right one; as the objective says. */
    readonly loss: number;
    /** exp(loss), of a negative log-likelihood. */
    readonly perplexity?: number;
  } | null;
  /** Complete measurements first, the lowest loss first. */
  readonly sets: readonly MeasuredSet[];
}

/** What a removal must respect for llama.cpp to run the result as the original runs. */
export interface Constraints {
  readonly fixed: readonly {
    /** Index of a layer that is never removed. */
    readonly layer: number;
    /** The rule that holds it in place. */
    readonly rule: string;
  }[];
  /** Rules by which a layer's kind follows from its index and cannot be written out: after the removal, the kept layer that comes to stand at index j must satisfy kinds[kept[j]] = kinds[j]. */
  readonly positional: readonly {
    readonly rule: string;
    /** The kind of each analysed layer, by its index. */
    readonly kinds: readonly number[];
  }[];
  /** Rules by which what all layers compute follows from their number. */
  readonly lengths?: readonly {
    readonly rule: string;
    /** The numbers of analysed layers that may be kept. */
    readonly allowed: readonly number[];
  }[];
  /** Kinds of layers that llama.cpp must find one of. */
  readonly oneOf?: readonly {
    readonly rule: string;
    /** At least one of them is kept. */
    readonly layers: readonly number[];
  }[];
  /** Rules about the first and the last of the layers that are kept. */
  readonly ends?: readonly {
    readonly rule: string;
    readonly end: "first" | "last";
    /** The layers that can be the first or the last one kept. */
    readonly layers: readonly number[];
  }[];
  /** Layers that take more from an earlier one than its output. */
  readonly shared?: readonly {
    readonly rule: string;
    /** Index of a layer that computes something for later ones. */
    readonly layer: number;
    /** Later layers, none of which is kept without that layer. */
    readonly by: readonly number[];
  }[];
}

/** The model the document is about. */
export interface ModelSummary {
  /** Identity of the file's content. */
  readonly fingerprint?: string;
  /** general.architecture of the file. */
  readonly architecture?: string;
  /** general.name of the file. */
  readonly name?: string;
  /** Number of layers in the file (GGUF calls them blocks). */
  readonly blockCount: number;
  /** Number of layers measured, from the first; fewer than blockCount if prediction layers trail. */
  readonly analysedBlocks?: number;
  /** How often the model runs its layers, one loop after the other; once if missing. */
  readonly loops?: number;
  /** Width of the hidden states. */
  readonly embeddingLength?: number;
  /** Number of weights. */
  readonly parameters?: number;
  /** Size of the model's file or files in bytes. */
  readonly fileBytes?: number;
  /** What a removal must respect for llama.cpp to run the result as the original runs. */
  readonly constraints?: Constraints;
}

/** One removed layer. */
export interface Removal {
  /** Index of the removed layer in the original model. */
  readonly layer: number;
  /** Short and for machines, such as stage-1, block-influence, run or named. */
  readonly reason: string;
  /** The number the decision rested on, as the text explains; null if there was none. */
  readonly score: number | null;
  readonly cluster?: number;
  /** Why this layer went, for people. */
  readonly text: string;
}

export interface PassedOver {
  /** Index of a layer that the method would have taken. */
  readonly layer: number;
  /** The rule that kept it. */
  readonly rule: string;
}

/** Which layers go, and why. */
export interface Plan {
  /** Version of this document's form. */
  readonly schemaVersion: 1;
  /** Version of lorp that made the document. */
  readonly lorpVersion?: string;
  readonly model: {
    /** Identity of the file's content. */
    readonly fingerprint?: string;
    /** general.architecture of the file. */
    readonly architecture?: string;
    /** general.name of the file. */
    readonly name?: string;
    /** Number of layers in the file (GGUF calls them blocks). */
    readonly blockCount: number;
    /** Number of layers measured, from the first; fewer than blockCount if prediction layers trail. */
    readonly analysedBlocks?: number;
    /** How often the model runs its layers, one loop after the other; once if missing. */
    readonly loops?: number;
    /** Width of the hidden states. */
    readonly embeddingLength?: number;
    /** Number of weights. */
    readonly parameters?: number;
    /** Size of the model's file or files in bytes. */
    readonly fileBytes?: number;
  };
  /** Selection method, or named if the user named the layers. */
  readonly method: string;
  /** Number of layers to remove. */
  readonly budget: number;
  /** Ascending. */
  readonly removedLayers: readonly number[];
  /** Ascending. */
  readonly keptLayers: readonly number[];
  /** In the order of removal. */
  readonly removals: readonly Removal[];
  /** Layers that the method would have taken had a rule of the architecture not kept them. */
  readonly passedOver: readonly PassedOver[];
  /** Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive. */
  readonly rls?: number | null;
  /** Number of clusters. */
  readonly k?: number;
  /** Seed of every random draw. */
  readonly seed?: number;
  /** What was measured to make the choice, on text that was not used for the analysis. */
  readonly measurements?: Measurements;
  /** What linear maps give back of what the removal took. */
  readonly repair?: Repair;
}

/** A linear map that does what removed layers that stand together did. */
export interface MendedGap {
  /** Index in the original model of the kept layer whose output the map changes, before the gap. */
  readonly after: number;
  /** The layer is the first one behind the last gap instead, and its last matrix is replaced, whatever the kind. */
  readonly behind?: true;
  /** What keeps the map small, relative to the mean of the features' summed squares. */
  readonly ridge: number;
  /** Tensor type that the map is stored in, such as Q8_0. */
  readonly type: string;
  /** Numbers that the map reads of each token. */
  readonly features: number;
  /** What the map adds to the file; below 0 what it saves. */
  readonly bytes: number;
  /** KL divergence of the pruned model with this gap's map and those before it from the model as it is, nats a token. */
  readonly divergence: number;
}

/** One kind of repair, as it was measured. */
export interface TriedRepair {
  readonly kind: "refit" | "bridge";
  /** Ascending; gaps whose map did not help by more than its standard error are missing. */
  readonly gaps: readonly MendedGap[];
  /** KL divergence of the repaired model from the model as it is, nats a token. */
  readonly divergence: number;
  /** Of what it gives back, over sequences; null of a single one. */
  readonly standardError: number | null;
}

/** What linear maps give back of what the removal took. */
export interface Repair {
  /** refit: the last matrix before each gap is replaced. bridge: a layer that adds a linear map of its input is inserted at each gap. null: nothing helped enough, or nothing is possible. */
  readonly kind: "refit" | "bridge" | null;
  /** The text the model was run on. */
  readonly calibration: CalibrationText;
  /** Tokens that the maps were fitted on. */
  readonly tokens: number;
  /** Those of them that the model wrote itself, going on with lorp's prompts. */
  readonly sampled?: number;
  /** What the choices were made on: sequences that were not fitted. */
  readonly heldBack: {
    /** KL divergence of the pruned model as it is from the model as it is, nats a token. */
    readonly divergence: number;
    /** Number of token sequences. */
    readonly sequences: number;
  };
  readonly tried: readonly TriedRepair[];
  /** Kinds that this model cannot have, and why. */
  readonly refused: readonly {
    readonly kind: "refit" | "bridge";
    readonly reason: string;
  }[];
}

/** What was done to a model, and what it cost. */
export interface Report {
  /** Version of this document's form. */
  readonly schemaVersion: 1;
  /** Version of lorp that made the document. */
  readonly lorpVersion?: string;
  /** The command line, if there was one. */
  readonly command?: string;
  readonly input: {
    readonly path: string;
    /** Size of the file, or of all parts of a split one. */
    readonly bytes: number;
    /** Number of weights. */
    readonly parameters?: number;
  };
  /** null if nothing was written. */
  readonly output: {
    readonly path: string;
    /** Size of the file, or of all parts of a split one. */
    readonly bytes: number;
    /** Number of weights. */
    readonly parameters?: number;
  } | null;
  /** What the file would be, of a dry run. */
  readonly expected?: {
    /** Size of the file; absent where it would be quantised. */
    readonly bytes?: number;
    /** Number of weights. */
    readonly parameters: number;
    /** How many times as fast it generates, estimated by the weights that one token is multiplied with. */
    readonly speedup: number;
  };
  readonly analysis?: {
    /** Version of this document's form. */
    readonly schemaVersion: 1;
    /** Version of lorp that made the document. */
    readonly lorpVersion?: string;
    /** The model the document is about. */
    readonly model: ModelSummary;
    readonly settings: AnalysisSettings;
    /** N x N cosine similarities of the layers' inputs, averaged over tokens; row and column i are layer i, the diagonal is 1. */
    readonly similarity?: readonly (readonly number[])[];
    /** Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive. */
    readonly rls: number | null;
    /** Number of clusters. */
    readonly k: number;
    /** The cluster of each layer, 0...k-1, numbered by first layer. */
    readonly clusters: readonly number[];
    readonly layers: readonly LayerMeasures[];
    /** How sure the answer is, judged by how much the sequences differ (bootstrap over sequences). */
    readonly confidence?: Confidence;
  };
  /** Which layers go, and why. */
  readonly plan: Plan;
  /** null if it was not measured. */
  readonly perplexity: {
    readonly original: number;
    readonly pruned: number;
    /** pruned / original. */
    readonly ratio: number;
    /** The text the model was run on. */
    readonly text: CalibrationText;
    /** Number of token sequences scored. */
    readonly sequences: number;
    /** Tokens in a sequence. */
    readonly sequenceLength: number;
  } | null;
  /** How alike the embeddings before and after are, where a model gives those and predicts no tokens. */
  readonly embeddings?: {
    /** Mean over sequences of the cosine of both models' embeddings, each the mean over tokens. */
    readonly cosine: number;
    /** Of the sequence whose embeddings are least alike. */
    readonly lowestCosine: number;
    /** The text the model was run on. */
    readonly text: CalibrationText;
    /** Number of token sequences embedded. */
    readonly sequences: number;
    /** Tokens in a sequence. */
    readonly sequenceLength: number;
  };
  /** How far the predictions of the pruned model are from the original's, on the same text. */
  readonly divergence?: {
    /** Mean Kullback-Leibler divergence from the original's token distributions, nats a token. */
    readonly klDivergence: number;
    /** Of the mean, tokens taken as independent; null of a single one. */
    readonly standardError: number | null;
    /** Share of the tokens where the original puts most probability on the same. */
    readonly topAgreement: number;
  };
  /** How fast both run on the machine that made the report, timed in turn. */
  readonly speed?: {
    readonly original: {
      /** Tokens per second of a prompt, read in micro-batches. */
      readonly prompt: number;
      /** Tokens per second of text generated token by token. */
      readonly generation: number;
    };
    readonly pruned: {
      /** Tokens per second of a prompt, read in micro-batches. */
      readonly prompt: number;
      /** Tokens per second of text generated token by token. */
      readonly generation: number;
    };
  };
  /** How both do on the half of the task that was kept for the report. */
  readonly task?: Task;
  /** What the removal comes to, by the limits in grades. */
  readonly verdict?: Verdict;
  /** Of a ruined model the most layers that can go, as far as measured, before it is that. */
  readonly reach?: Reach;
  /** How the pruned model's greedy continuations differ from the original's. */
  readonly samples?: Samples;
  /** The grades of a verdict, the best first; the first one whose limits both hold is given. */
  readonly grades?: Grades;
  /** The options in force. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How the pruned model's greedy continuations differ from the original's. */
export interface Samples {
  /** Whether questions were asked in the model's chat format, or texts were to be gone on with. */
  readonly mode: "chat" | "completion";
  /** Number of prompts, none of which was used for the choice. */
  readonly prompts: number;
  /** Tokens that each continuation has at most. */
  readonly tokens: number;
  /** Tokens that are the same before the two part; mean over prompts. */
  readonly agreed: number;
  /** Share of the runs of four tokens that occurred before in the same continuation. */
  readonly repeated: {
    readonly original: number;
    readonly pruned: number;
  };
  /** Some of the continuations, to be read side by side. */
  readonly examples: readonly {
    readonly prompt: string;
    readonly original: string;
    readonly pruned: string;
  }[];
}

/** How both do on the half of the task that was kept for the report. */
export interface Task {
  /** The file's name. */
  readonly name: string;
  /** Of the file. */
  readonly sha256: string;
  /** Questions asked, none of which was used for the choice. */
  readonly items: number;
  readonly original: {
    /** Share of right answers: the right choice has the highest log-likelihood. */
    readonly accuracy: number;
    /** 95 % confidence interval (Wilson). */
    readonly interval: readonly number[];
  };
  readonly pruned: {
    /** Share of right answers: the right choice has the highest log-likelihood. */
    readonly accuracy: number;
    /** 95 % confidence interval (Wilson). */
    readonly interval: readonly number[];
  };
  readonly paired: {
    /** Items that only the pruned model answers right. */
    readonly gained: number;
    /** Items that only the original answers right. */
    readonly lost: number;
    /** How likely two equally good models would differ as much: McNemar's exact test, two-sided. */
    readonly pValue: number;
  };
}

/** What the removal comes to, by the limits in grades. */
export interface Verdict {
  /** How the pruned model stands to its original. */
  readonly grade: "as good" | "slightly worse" | "clearly worse" | "damaged" | "ruined";
  /** The type of quantisation whose published cost (KL divergence) is nearest. */
  readonly nearestType: string;
  /** The whole of it, to be read. */
  readonly sentence: string;
}

/** The grades of a verdict, the best first; the first one whose limits both hold is given. */
export type Grades = readonly {
  /** How the pruned model stands to its original. */
  readonly grade: "as good" | "slightly worse" | "clearly worse" | "damaged" | "ruined";
  /** At most, nats a token; null without a limit. */
  readonly klDivergence: number | null;
  /** At least, a share of the tokens. */
  readonly topAgreement: number;
  readonly meaning: string;
  /** Why the limits lie where they do. */
  readonly reason: string;
}[];

/** Of a ruined model the most layers that can go, as far as measured, before it is that. */
export interface Reach {
  /** Ascending. */
  readonly removedLayers: readonly number[];
  /** The method that chose them. */
  readonly method: string;
  /** Mean Kullback-Leibler divergence from the original's token distributions, nats a token. */
  readonly klDivergence: number;
}
