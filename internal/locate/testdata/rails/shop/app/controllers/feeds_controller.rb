class FeedsController < ActionController::Base
  def show; end
end
