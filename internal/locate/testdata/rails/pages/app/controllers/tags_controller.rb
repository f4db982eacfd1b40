class TagsController < ActionController::Base
  def show; end
end
